# What docs/install.md says, and then a look at the daemon that systemd has started.
set -e
cd /srv/trial
install -m 644 -D systemd/offdesk.service /usr/lib/systemd/system/offdesk.service
install -m 644 -D systemd/offdesk.sysusers /usr/lib/sysusers.d/offdesk.conf
install -m 644 -D systemd/offdesk.tmpfiles /usr/lib/tmpfiles.d/offdesk.conf
install -m 644 -D README.md /usr/share/doc/offdesk/README.md
systemd-sysusers
systemd-tmpfiles --create offdesk.conf
cat > /etc/offdesk/offdesk.toml <<END
public_url = "https://gw.example.com"
[twilio]
account_sid = "AC00000000000000000000000000000000"
workspace_sid = "WS00000000000000000000000000000000"
caller_id = "+15550100"
[twilio.endpoints]
api = "http://127.0.0.1:9"
taskrouter = "http://127.0.0.1:9"
[sip]
domain = "gw.example.com"
tls = ""
END
install -d -m 700 /etc/offdesk/credentials
echo 00000000000000000000000000000000 > /etc/offdesk/credentials/twilio.auth_token
chmod 600 /etc/offdesk/credentials/twilio.auth_token
mkdir -p /etc/systemd/system/offdesk.service.d
cat > /etc/systemd/system/offdesk.service.d/credentials.conf <<END
[Service]
LoadCredential=twilio.auth_token:/etc/offdesk/credentials/twilio.auth_token
END
systemctl daemon-reload
set +e

fail() { echo "failed: $1"; journalctl -u offdesk -o cat --no-pager -n 20; exit 1; }
process() { grep -E "^$1:" "/proc/$pid/status" | cut -f 2; }

systemctl start offdesk || fail "it does not start"
echo "it says that it is ready"
pid=$(systemctl show offdesk -p MainPID --value)
curl -sf http://127.0.0.1:8081/readyz | grep -q '"ready":true' || fail "/readyz"
[ "$(process NoNewPrivs)" = 1 ] && [ "$(process Seccomp)" = 2 ] || fail "no filter of system calls"
[ "$(process CapEff)$(process CapBnd)" = 00000000000000000000000000000000 ] || fail "it has privileges"
[ "$(process Uid | cut -d' ' -f 1)" != 0 ] || fail "it runs as root"
echo "it runs as $(ps -o user= -p "$pid"), without privileges, under $(grep Seccomp_filters "/proc/$pid/status" | cut -f 2) filters of system calls"
code=$(curl -s -o /dev/null -w '%{http_code}' -d EventType=x http://127.0.0.1:8080/webhooks/taskrouter)
[ "$code" = 403 ] || fail "a webhook that nobody has signed got $code"
exec 3<> /dev/udp/127.0.0.1/5060
printf '%s\r\n' "OPTIONS sip:gw.example.com SIP/2.0" "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1" "Max-Forwards: 70" \
    "From: <sip:a@gw.example.com>;tag=1" "To: <sip:gw.example.com>" "Call-ID: 1" "CSeq: 1 OPTIONS" \
    "User-Agent: of such a length that the answer is no larger than twice the question, as the rule is for datagrams" \
    "Content-Length: 0" "" > /run/question
# In one piece.
cat /run/question >&3
timeout 5 head -c 11 <&3 | grep -q "SIP/2.0 200" || fail "no answer by SIP"
echo "it answers webhooks and SIP"
# Beyond the watchdog's patience.
sleep 35
[ "$(systemctl show offdesk -p MainPID --value)" = "$pid" ] || fail "it was started again"
echo "it keeps the watchdog content"
systemctl stop offdesk
[ "$(systemctl show offdesk -p Result --value)" = success ] || fail "it does not stop as it should"
find /var/lib/offdesk ! -user offdesk | grep . && fail "files that are not its own"
echo "it stops as it should, and what it wrote is its own"
with_token() { systemd-run -q --pipe --wait -p User=offdesk \
  -p LoadCredential=twilio.auth_token:/etc/offdesk/credentials/twilio.auth_token offdesk "$@"; }
with_token agent list > /dev/null || fail "an agent's list with a credential"
with_token agent import --from-taskrouter --dry-run 2>&1 | grep -q "Twilio cannot be reached" || fail "a dry run"
echo "commands with a credential are run beside it"
echo "all is well"
