"""A softphone of pjsua2: registers, takes calls, and tells a JSON line of each change.

Arguments: user, password, host:port, udp or tcp; then, as wanted: a pitch in hertz that it speaks with, and further parameters
of its Contact, as in ";pn-provider=fcm". Without a pitch it has no sound.

SOFTPHONE_EXPIRES: seconds that it registers for, 60 if not set; SOFTPHONE_LOG: pjsua2's log level.

Lines in: renew, end; answer, decline, hold, resume, hang-up; listen: to tell anew what it hears.
Lines out: {"listens"} with its address; {"code", "active"} of a registration; {"call"} with a call's state; {"media"}: active or
held; {"hears"} with the pitch that it hears, 0 for silence. {"at"} is the time of it in seconds since 1970.
"""

import json
import math
import os
import sys
import time

import pjsua2 as pj

user, password, gateway, transport = sys.argv[1:5]
pitch = int(sys.argv[5]) if len(sys.argv) > 5 else 0
contact = sys.argv[6] if len(sys.argv) > 6 else ""
host = gateway.split(":")[0]

RATE = 8000
PITCHES = range(200, 1700, 20)


def tell(**told):
    # In one piece: the library calls from several threads.
    os.write(1, (json.dumps({**told, "at": time.time()}) + "\n").encode())


def power(samples, hz):
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    return (one * one + two * two - turn * one * two) * 2 / len(samples)


def listen(samples):
    energy = sum(sample * sample for sample in samples)
    if energy / len(samples) < 3600:
        return 0
    loudest = max(PITCHES, key=lambda hz: power(samples, hz))
    return loudest if power(samples, loudest) > 0.35 * energy else 0


class Ear(pj.AudioMediaPort):
    """Tells of a pitch when it changes; 50 ms at a time."""

    def __init__(self):
        super().__init__()
        self.samples = []
        self.heard = None
        shape = pj.MediaFormatAudio()
        shape.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20000, 16)
        self.createPort("ear", shape)

    def anew(self):
        self.samples.clear()
        self.heard = None

    def onFrameReceived(self, frame):
        data = bytes(frame.buf)
        self.samples.extend(memoryview(data).cast("h"))
        if len(self.samples) >= 400:
            heard = listen(self.samples[:400])
            self.samples.clear()
            if heard != self.heard:
                self.heard = heard
                tell(hears=heard)


class Call(pj.Call):
    def onCallState(self, state):
        info = self.getInfo()
        tell(call=info.stateText, reason=info.lastStatusCode)

    def onCallMediaState(self, state):
        if not pitch:
            return
        # It must be held as long as its parts are looked at.
        info = self.getInfo()
        self.ear.anew()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                line = self.getAudioMedia(index)
                self.voice.startTransmit(line)
                line.startTransmit(self.ear)
                tell(media="active")
            elif media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD:
                tell(media="held")


class Account(pj.Account):
    call = None

    def onRegState(self, state):
        tell(code=state.code, active=self.getInfo().regIsActive)

    def onIncomingCall(self, incoming):
        call = Call(self, incoming.callId)
        if pitch:
            call.voice = pj.ToneGenerator()
            call.voice.createToneGenerator(RATE, 1)
            tone = pj.ToneDesc()
            tone.freq1, tone.freq2, tone.on_msec, tone.off_msec, tone.volume = pitch, 0, 1000, 0, 8000
            tones = pj.ToneDescVector()
            tones.append(tone)
            call.voice.play(tones, True)
            call.ear = Ear()
        self.call = call
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        call.answer(ringing)
        tell(call="INCOMING")


endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = int(os.environ.get("SOFTPHONE_LOG", "0"))
config.medConfig.clockRate = config.medConfig.sndClockRate = RATE
config.medConfig.noVad = True
config.medConfig.ecTailLen = 0
endpoint.libInit(config)
kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}
on = pj.TransportConfig()
on.boundAddress = host
at = endpoint.transportCreate(kinds[transport], on)
endpoint.libStart()
endpoint.audDevManager().setNullDev()
tell(listens=endpoint.transportGetInfo(at).localName)

settings = pj.AccountConfig()
settings.idUri = f"sip:{user}@{host}"
settings.regConfig.registrarUri = f"sip:{host}"
settings.regConfig.timeoutSec = int(os.environ.get("SOFTPHONE_EXPIRES", "60"))
settings.sipConfig.contactUriParams = contact
settings.sipConfig.proxies.append(f"sip:{gateway};transport={transport};lr")
settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
settings.mediaConfig.transportConfig.boundAddress = host
# Any free port, not the first from 4000 on that this process thinks is free.
settings.mediaConfig.transportConfig.port = 0
account = Account()
account.create(settings)


def act(line):
    call, param = account.call, pj.CallOpParam(True)
    if line == "answer":
        param.statusCode = 200
        call.answer(param)
    elif line == "decline":
        param.statusCode = 603
        call.hangup(param)
    elif line == "hold":
        call.setHold(param)
    elif line == "resume":
        param.opt.flag = pj.PJSUA_CALL_UNHOLD
        call.reinvite(param)
    elif line == "listen":
        call.ear.anew()
    elif line == "hang-up":
        call.hangup(param)
    else:
        account.setRegistration(line == "renew")


for line in sys.stdin:
    act(line.strip())
# The library's own end aborts, since it was built with its assertions on.
os._exit(0)
