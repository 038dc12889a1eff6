package hazard

import "fmt"

// maxPlaces is how many places that run a test are hazards of their own.
const maxPlaces = 10

// scheduled makes hazards of the places that run an ordinary test. Dangerous says that such a test does harm now.
func (f Facts) scheduled(dangerous bool) []Hazard {
	var all []Hazard

	more := f.Schedule.Omitted

	for _, p := range f.Schedule.Places {
		h := p.hazard(dangerous)
		if len(all) == maxPlaces {
			more++
		} else {
			all = append(all, h)
		}
	}

	if more > 0 && len(all) > 0 {
		all[len(all)-1].Sentence += fmt.Sprintf("; %d more places run one", more)
	}

	return all
}

func (p Place) hazard(dangerous bool) Hazard {
	via := ""
	if p.Via != "" {
		via = " for " + p.Via
	}

	where := fmt.Sprintf("%s:%d", p.File, p.Line)

	if p.Kind == KindStart {
		severity := SeverityInfo
		if dangerous {
			severity = SeverityGeneral
		}

		return newHazard(PlainTestAtStart, severity, where,
			"a unit runs %s when it starts or reloads%s, as distributions have it", p.Test, via)
	}

	severity := SeverityGeneral
	if dangerous {
		severity = SeverityNow
	}

	return newHazard(PlainTestScheduled, severity, where,
		"%s runs %s%s; take it out and use the test of this plugin", p.Kind.phrase(), p.Test, via)
}
