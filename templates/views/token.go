package views

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const tokenName = "Control panel"

// ErrTokenStays is that the time of a token was given, and there is one already whose time stays.
var ErrTokenStays = errors.New("there is a token already, and a time is for new ones; add -new-token, which makes the old one useless")

// findToken returns the id of a user's token, "" for none, and whether its time is over.
func findToken(c *api.Client, userID string) (id string, expired bool, err error) {
	var found []struct {
		ID        string `json:"tokenid"`
		ExpiresAt string `json:"expires_at"`
	}
	params := api.Object{"output": []string{"tokenid", "expires_at"}, "filter": api.Object{"name": tokenName, "userid": userID}}
	if err := c.Call("token.get", params, &found); err != nil || len(found) == 0 {
		return "", false, err
	}
	ends, err := strconv.ParseInt(found[0].ExpiresAt, 10, 64)
	if err != nil {
		return "", false, fmt.Errorf("cannot tell until when the token is good: %w; look into the manual of %s", err, c.Version())
	}
	return found[0].ID, ends != 0 && ends <= time.Now().Unix(), nil
}

// checkToken refuses a time that no token would get, before anything is made.
func (customer Customer) checkToken(c *api.Client, old user) error {
	if old.id == "" || customer.TokenFor == 0 || customer.NewToken {
		return nil
	}
	id, expired, err := findToken(c, old.id)
	if err != nil || id == "" || expired {
		return err
	}
	return fmt.Errorf("cannot give %s a token for %s: %w", customer.Name, customer.TokenFor, ErrTokenStays)
}

// ensureToken returns a new token, or "" where there is one that is still good and is to stay.
func ensureToken(c *api.Client, userID string, customer Customer) (string, error) {
	id, expired, err := findToken(c, userID)
	if err != nil || id != "" && !expired && !customer.NewToken {
		return "", err
	}
	fields := api.Object{"expires_at": 0}
	if customer.TokenFor > 0 {
		fields["expires_at"] = time.Now().Add(customer.TokenFor).Unix()
	}
	if id, err = ensure(c, tokens, api.Object{"name": tokenName, "userid": userID}, fields); err != nil {
		return "", err
	}
	var made []struct {
		Token string `json:"token"`
	}
	if err := c.Call("token.generate", []string{id}, &made); err != nil {
		return "", err
	}
	if len(made) != 1 {
		return "", fmt.Errorf("cannot tell the token of %s: token.generate made %d; look into the manual of %s", customer.Name, len(made), c.Version())
	}
	return made[0].Token, nil
}
