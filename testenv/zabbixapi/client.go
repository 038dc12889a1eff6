// Package zabbixapi does through the API of Zabbix 6.0 and 7.0 what tests need. Where the two differ, the methods do not.
package zabbixapi

import "zabbix-agent2-plugin-hosting/templates/api"

// The user that every new server has.
const (
	Admin         = "Admin"
	AdminPassword = "zabbix"
)

// Client calls the API as one user. Its methods may be called from any goroutine.
type Client struct{ *api.Client }

// object is a JSON object.
type object = api.Object

// Login returns a client that has the rights of a user. The URL is that of api_jsonrpc.php.
func Login(url, user, password string) (*Client, error) {
	c, err := api.New(url, "")
	if err != nil {
		return nil, err
	}
	var token string
	if err := c.Call("user.login", object{"username": user, "password": password}, &token); err != nil {
		return nil, err
	}
	return WithToken(url, token)
}

// WithToken returns a client with an API token or a session of a user.
func WithToken(url, token string) (*Client, error) {
	c, err := api.New(url, token)
	return &Client{c}, err
}
