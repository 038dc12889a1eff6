package instance

import (
	"fmt"
	"strings"
)

// Product is nginx or one of its forks. The numbers are stable: value maps rely on them.
type Product int

// The products that are told apart.
const (
	ProductOther     Product = 0
	ProductNginx     Product = 1
	ProductAngie     Product = 2
	ProductFreenginx Product = 3
	ProductOpenResty Product = 4
	ProductTengine   Product = 5
)

var productNames = [...]string{"other", "nginx", "angie", "freenginx", "openresty", "tengine"}

// String is the name in payloads, such as "openresty".
func (p Product) String() string {
	if p < 0 || int(p) >= len(productNames) {
		return fmt.Sprintf("product_%d", int(p))
	}

	return productNames[p]
}

// productOf reads the name as a version line, a title or a program's file has it.
func productOf(name string) Product {
	name = strings.TrimPrefix(strings.ToLower(name), "ngx_")
	for p := ProductNginx; int(p) < len(productNames); p++ {
		if name == productNames[p] {
			return p
		}
	}

	return ProductOther
}

// defaults are what the products' own configure scripts compile in where nobody asks for another path (auto/options).
func (p Product) defaults() (prefix, config, errorLog, pid string) {
	switch p {
	case ProductAngie:
		return "/usr/local/angie", "conf/angie.conf", "logs/error.log", "logs/angie.pid"
	case ProductOpenResty:
		prefix = "/usr/local/openresty/nginx"
	default:
		prefix = "/usr/local/nginx"
	}

	return prefix, "conf/nginx.conf", "logs/error.log", "logs/nginx.pid"
}

// packagedConfig is where packages put the configuration file, for a program that does not tell.
func (p Product) packagedConfig() string {
	switch p {
	case ProductAngie:
		return "/etc/angie/angie.conf"
	case ProductOpenResty:
		return "/usr/local/openresty/nginx/conf/nginx.conf"
	default:
		return "/etc/nginx/nginx.conf"
	}
}
