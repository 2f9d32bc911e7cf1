// Accounts of virtual users: each signs up or logs in once, before the load.
// crates/workshop/src/request/users.rs does the same.

import http from 'k6/http';
import { fail } from 'k6';

// Users who sign up at the same time. Each of them is a password hash for a core.
const AT_ONCE = 4;
// Of every virtual user; request/users.rs has the same, for a user that is here already.
const PASSWORD = 'correct horse battery staple';

const JSON_TYPE = { 'Content-Type': 'application/json' };

function post(url, users, body) {
  return http.batch(users.map((user) => [
    'POST', url, JSON.stringify(body(user)), { headers: JSON_TYPE, responseCallback: null },
  ]));
}

function token(user, response, right) {
  if (response.status === right) return response.json('access_token');
  const help = response.status === 429
    ? '; start the server with RATE_LIMIT_REGISTER, RATE_LIMIT_LOGIN and RATE_LIMIT_LOGIN_ADDRESS set to off' : '';
  return fail(`virtual_user_${user} can't log in: status ${response.status}${help}: ${response.body}`);
}

// Access tokens of the users 1 to `count`, in this order.
export function logIn(base, count) {
  const email = (user) => `virtual_user_${user}@example.com`;
  const tokens = [];
  for (let first = 1; first <= count; first += AT_ONCE) {
    const users = Array.from({ length: Math.min(AT_ONCE, count - first + 1) }, (_, i) => first + i);
    const registered = post(`${base}/api/v2/auth/register`, users, (user) => ({
      username: `virtual_user_${user}`, email: email(user), password: PASSWORD,
    }));
    // An earlier run has signed them up.
    const known = users.filter((_, i) => registered[i].status === 409);
    const loggedIn = post(`${base}/api/v2/auth/login`, known, (user) => ({ email: email(user), password: PASSWORD }));
    users.forEach((user, i) => {
      const place = known.indexOf(user);
      tokens.push(place < 0 ? token(user, registered[i], 201) : token(user, loggedIn[place], 200));
    });
  }
  return tokens;
}
