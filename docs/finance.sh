# Functions of docs/finance.md: `. docs/finance.sh` in bash, at the top of the clone. They need curl, npm and Node.
BOARD=http://127.0.0.1:${BOARD_PORT:-3001} # the ports that `npm start` was given, where they are others
API=http://127.0.0.1:${API_PORT:-3000}
SANDBOX=http://127.0.0.1:${SANDBOX_PORT:-3002}
RAIL=http://127.0.0.1:${SANDBOX_MULTICARD_PORT:-3004}

post() { curl -sS -X POST "$BOARD$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' "${@:3}"; }
get() { curl -sS "$BOARD$1" -H "Authorization: Bearer $2" "${@:3}"; }
# NAME: a field of the answer, or the answer itself on the screen where it has none: it was refused.
field() {
  node -e '
    const answer = fs.readFileSync(0, "utf8");
    const value = /^\{/.test(answer) ? JSON.parse(answer)[process.argv[1]] : undefined;
    if (value === undefined) console.error(answer);
    else console.log(value);
  ' "$1"
}

# SECRET: a code that was not used yet, as an app would show it. In a sandbox, whose clock goes on by 30 s.
code() { npm run -s navbat -- clock code "$1"; }

# EMAIL PASSWORD: sets the second factor up, once, and prints its secret.
begin() {
  local half secret
  half=$(post /staff/sessions '' -d "{\"email\":\"$1\",\"password\":\"$2\"}" | field token)
  secret=$(post /staff/sessions/second-factor/set-up "$half" | field secret)
  post /staff/sessions/second-factor "$half" -d "{\"code\":\"$(code "$secret")\"}" >/dev/null && echo "$secret"
}

# EMAIL PASSWORD SECRET: prints the token of a session of twelve hours.
login() {
  local half
  half=$(post /staff/sessions '' -d "{\"email\":\"$1\",\"password\":\"$2\"}" | field token)
  post /staff/sessions/second-factor "$half" -d "{\"code\":\"$(code "$3")\"}" | field token
}

# BINDS: the checker's proof of exactly this; prints its id.
prove() { post /staff/proofs "$CHECKER" -d "{\"code\":\"$(code "$CHECKER_SECRET")\",\"binds\":$1}" | field id; }

# CORRECTION AMOUNT: the checker agrees to what the maker asked for.
agree() {
  local proof
  proof=$(prove "{\"action\":\"money.correct\",\"subject\":\"$1\",\"version\":1,\"total\":\"$2\"}")
  post "/finance/corrections/$1/agree" "$CHECKER" -H 'If-Match: "1"' -d "{\"proof_id\":\"$proof\"}"
}

# NAME FILE [QUERY]: imports a list of the project PROJECT.
import_list() {
  curl -sS "$BOARD/finance/lists?name=$1&funder=$PROJECT$3" -H "Authorization: Bearer $MAKER" \
    -H "Idempotency-Key: $1" -H 'Content-Type: application/octet-stream' --data-binary "@$2"
}

# LIST: the sandbox's people have cards in the names of the list, and press the buttons of their links. Waits up to five minutes.
bind_cards() {
  node --input-type=module -e '
    const [url, token] = process.argv.slice(1);
    const people = [];
    for (let cursor = ""; cursor !== null; ) {
      const page = await (await fetch(url + cursor, { headers: { Authorization: "Bearer " + token } })).json();
      people.push(...page.data.map(({ phone, payee }) => ({ phone: phone.slice(1), holder_name: payee })));
      cursor = page.next_cursor && "&cursor=" + page.next_cursor;
    }
    console.log(JSON.stringify(people));
  ' "$BOARD/finance/payouts?list_id=$1&limit=100" "$MAKER" |
    curl -sS -X PUT $RAIL/control/people --data-binary @-
  press "\"$API/payout-links/\""
  for _ in $(seq 100); do
    get "/finance/lists/$1" "$MAKER" | grep -q awaiting-card || break
    sleep 3
  done
  press null # or they would press the next list's links before their cards have its names
  get "/finance/lists/$1" "$MAKER"
}
press() { curl -sS -X PUT $SANDBOX/telegram/people -d "{\"presses\":$1}" >/dev/null; }

# METHOD PATH TOKEN: as a person or their app.
api() { curl -sS -X "$1" "$API$2" -H "Authorization: Bearer $3" -H 'Content-Type: application/json' "${@:4}"; }
last_code() { curl -sS "$SANDBOX/inbox.json?to=$1" | node -pe '/\d{6}/.exec(JSON.parse(fs.readFileSync(0)).at(-1)?.text)?.[0] ?? ""'; }

# PHONE: signs a person in to the app of the key APP by the code of an SMS; prints their access token, good for ten minutes.
person() {
  local before asked sms
  before=$(last_code "$1")
  asked=$(api POST /auth/code "$APP" -d "{\"phone\":\"$1\"}")
  for _ in $(seq 60); do
    sms=$(last_code "$1")
    [ "$sms" != "$before" ] && break
    sleep 1
  done
  api POST /auth/code/verify "$APP" -d "{\"id\":\"$(echo "$asked" | field id)\",\"check_token\":\"$(echo "$asked" | field check_token)\",\"code\":\"$sms\"}" | field access_token
}
