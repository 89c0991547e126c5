"""A softphone of pjsua2: registers, and tells a JSON line of each change.

Arguments: user, password, host:port, udp or tcp. Lines in: renew, end.
"""

import json
import os
import sys

import pjsua2 as pj

user, password, gateway, transport = sys.argv[1:5]
host = gateway.split(":")[0]


class Account(pj.Account):
    def onRegState(self, state):
        told = {"code": state.code, "active": self.getInfo().regIsActive}
        print(json.dumps(told), flush=True)


endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
endpoint.libInit(config)
kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}
endpoint.transportCreate(kinds[transport], pj.TransportConfig())
endpoint.libStart()

settings = pj.AccountConfig()
settings.idUri = f"sip:{user}@{host}"
settings.regConfig.registrarUri = f"sip:{host}"
settings.regConfig.timeoutSec = 60
settings.sipConfig.proxies.append(f"sip:{gateway};transport={transport};lr")
settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
account = Account()
account.create(settings)

for line in sys.stdin:
    account.setRegistration(line.strip() == "renew")
# The library's own end aborts, since it was built with its assertions on.
os._exit(0)
