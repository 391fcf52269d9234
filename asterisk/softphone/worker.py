"""The process of one phone: pjsua2, driven over a pipe with one JSON object a line in each direction.

`python worker.py FOLDER USER_AGENT` reads commands, `{"id": 1, "do": "dial", …}`, and writes replies, `{"reply": 1, "value": …}`
or `{"reply": 1, "error": "…"}`, and events, `{"event": "incoming", "at": seconds of the monotonic clock, …}`. It ends with its pipe.

A process for each phone, because two devices of one extension in one pjsua get each other's calls, and because a crash in the
library is then one phone's. It can become another phone with `become`: that is faster than a new process.
"""

import heapq
import itertools
import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

TICK_MS = 10
# Recordings, and the bridge between a call and its tone: what telephones hear at least.
CLOCK_RATE = 8000
SRTP = {
    "none": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}
TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
# Codecs as Asterisk calls them, and as pjsua does.
CODECS = {
    "ulaw": "PCMU/8000",
    "alaw": "PCMA/8000",
    "g722": "G722/16000",
    "gsm": "GSM/8000",
    "ilbc": "iLBC/8000",
    "speex": "speex/8000",
}
STATES = {
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_INCOMING: "incoming",
    pj.PJSIP_INV_STATE_EARLY: "early",
    pj.PJSIP_INV_STATE_CONNECTING: "connecting",
    pj.PJSIP_INV_STATE_CONFIRMED: "answered",
    pj.PJSIP_INV_STATE_DISCONNECTED: "ended",
}
MEDIA = {
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "held here",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "held there",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}


def options(code: int = 0, headers: dict[str, str] | None = None) -> pj.CallOpParam:
    """What pjsua wants to be told with nearly everything: audio alone, a status code, further headers."""
    param = pj.CallOpParam(True)
    param.opt.audioCount, param.opt.videoCount, param.statusCode = 1, 0, code
    with_headers(param.txOption, headers or {})
    return param


def with_headers(option: pj.SipTxOption, headers: dict[str, str]) -> None:
    """Put `headers` on what is sent next."""
    vector = pj.SipHeaderVector()
    for name, value in headers.items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        vector.append(header)
    option.headers = vector


def tone_generator(hertz: int) -> pj.ToneGenerator:
    """A tone without end. Its length is a C short, so it is repeated."""
    generator = pj.ToneGenerator()
    generator.createToneGenerator(CLOCK_RATE, 1)
    tone = pj.ToneDesc()
    tone.freq1, tone.freq2, tone.on_msec, tone.off_msec = hertz, 0, 30000, 0
    tones = pj.ToneDescVector()
    tones.append(tone)
    generator.play(tones, True)
    return generator


class Call(pj.Call):
    """One call: records what is heard, speaks the phone's tone."""

    def __init__(self, worker: "Worker", account: pj.Account, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.worker, self.number, self.hertz = worker, next(worker.numbers), worker.hertz
        self.path = os.path.join(worker.folder, f"{os.getpid()}-{self.number}.wav")
        self.recorder: Any = None
        self.source: Any = None
        self.audio: Any = None
        worker.calls[self.number] = self

    def tell(self, event: str, **facts: Any) -> None:
        """An event of this call."""
        self.worker.tell(event, call=self.number, **facts)

    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802
        """Tell how far it is; what was recorded is whole once it has ended."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.recorder = self.source = self.audio = None
        self.tell(
            "state", state=STATES.get(info.state, "null"), code=info.lastStatusCode, reason=info.lastReason
        )

    def onCallTsxState(self, prm: pj.OnCallTsxStateParam) -> None:  # noqa: N802
        """Pass on every message of the call that came in."""
        if prm.e.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
            self.tell("message", text=prm.e.body.tsxState.src.rdata.wholeMsg)

    def onCallRedirected(self, prm: pj.OnCallRedirectedParam) -> int:  # noqa: N802
        """Tell where a 302 points, and don't go there."""
        if prm.e.type == pj.PJSIP_EVENT_TSX_STATE:
            self.tell("message", text=prm.e.body.tsxState.src.rdata.wholeMsg)
        self.tell("redirected", target=prm.targetUri)
        return int(pj.PJSIP_REDIRECT_STOP)

    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:  # noqa: N802
        """Tell of a key that the other side pressed."""
        self.tell("digit", digit=prm.digit)

    def onCallTransferStatus(self, prm: pj.OnCallTransferStatusParam) -> None:  # noqa: N802
        """Tell how a transfer goes that was asked for here; hang up once it has succeeded, as telephones do."""
        self.tell("transfer", code=prm.statusCode, reason=prm.reason, final=prm.finalNotify)
        if prm.finalNotify and prm.statusCode < 300:
            self.worker.after(0, lambda: self.worker.do_hangup(self.number))

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: N802
        """Listen and speak, again after each change of the media."""
        # Kept: what it holds is freed with it.
        info = self.getInfo()
        for at, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self.audio = self.getAudioMedia(at)
                self.listen()
                self.speak()
            elif self.audio is not None:
                self.audio = None
                self.source = None
            self.tell("media", status=MEDIA.get(media.status, "?"), path=self.path, **self.stream(at))

    def stream(self, at: int = 0) -> dict[str, Any]:
        """Codec, and where the other side said that its sound comes from, as far as there is a stream."""
        try:
            info = self.getStreamInfo(at)
        except pj.Error:
            return {}
        return {
            "codec": f"{info.codecName}/{info.codecClockRate}",
            "remote": info.remoteRtpAddress,
            "srtp": bool(info.proto & pj.PJMEDIA_TP_PROFILE_SRTP),
        }

    def has_a_line(self) -> bool:
        """Whether pjsua has it still."""
        try:
            self.getInfo()
        except pj.Error:
            return False
        return True

    def listen(self) -> None:
        """Record what comes in, from the first sound to the last in one file."""
        if self.recorder is None:
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(self.path)
        self.audio.startTransmit(self.recorder)

    def speak(self) -> None:
        """Send the tone, or whatever else is to be heard."""
        if self.source is None and self.hertz:
            self.source = tone_generator(self.hertz)
        if self.source is not None:
            self.source.startTransmit(self.audio)

    def play(self, path: str) -> None:
        """Send a WAV file once, in place of the tone."""
        player = pj.AudioMediaPlayer()
        player.createPlayer(path, pj.PJMEDIA_FILE_NO_LOOP)
        self.source = player
        if self.audio is not None:
            self.speak()

    def sound(self, hertz: int) -> None:
        """Send another tone from now on; 0: silence."""
        self.hertz, self.source = hertz, None
        if self.audio is not None:
            self.speak()

    def statistics(self) -> dict[str, Any]:
        """What has come in so far, and from which address it really comes."""
        stat = self.getStreamStat(0)
        received = stat.rtcp.rxStat
        transport = self.getMedTransportInfo(0)
        return {
            **self.stream(),
            "packets": received.pkt,
            "lost": received.loss,
            "from": transport.srcRtpName,
            "to": transport.localRtpName,
        }


class Line(pj.Account):
    """What is registered, or what a trunk's calls come to."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self.worker = worker

    def onRegState(self, prm: pj.OnRegStateParam) -> None:  # noqa: N802
        """Tell how a registration ended, or that it was given up."""
        if self.worker.line is self:
            self.worker.tell("registration", code=prm.code, reason=prm.reason, expires=prm.expiration)

    def onMwiInfo(self, prm: pj.OnMwiInfoParam) -> None:  # noqa: N802
        """Tell which messages wait."""
        self.worker.tell("messages", text=prm.rdata.wholeMsg)

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802
        """Tell who calls, and do with it what was said for the number that they dialled."""
        call = Call(self.worker, self, prm.callId)
        text = prm.rdata.wholeMsg
        call.tell("incoming", text=text, source=prm.rdata.srcAddress)
        dialled = text.split(" ", 2)[1].partition(":")[2].partition("@")[0]
        self.worker.receive(call, self.worker.rules.get(dialled, self.worker.rules[""]))


class Worker:
    """The loop: pjsua's events, what was asked for later, and commands."""

    def __init__(self, folder: str, user_agent: str, pipe_in: int, pipe_out: int) -> None:
        self.folder, self.pipe_in, self.pipe_out = folder, pipe_in, pipe_out
        self.numbers = itertools.count(1)
        self.calls: dict[int, Call] = {}
        self.later: list[tuple[float, int, Callable[[], object]]] = []
        self.rules: dict[str, dict[str, Any]] = {"": {}}
        self.transports: dict[tuple[str, str, int, str], int] = {}
        self.line: Line | None = None
        self.hertz = 0
        self.endpoint = self.started(user_agent)

    def started(self, user_agent: str) -> pj.Endpoint:
        """pjsua without sound card, log and threads of its own that would call Python."""
        config = pj.EpConfig()
        config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly, config.uaConfig.userAgent = (
            0,
            True,
            user_agent,
        )
        config.uaConfig.maxCalls, config.uaConfig.mwiUnsolicitedEnabled = 32, True
        config.logConfig.level = config.logConfig.consoleLevel = int(os.environ.get("SOFTPHONE_LOG", "0"))
        config.medConfig.clockRate = config.medConfig.sndClockRate = CLOCK_RATE
        config.medConfig.noVad, config.medConfig.ecTailLen, config.medConfig.quality = True, 0, 3
        endpoint = pj.Endpoint()
        endpoint.libCreate()
        endpoint.libInit(config)
        endpoint.audDevManager().setNullDev()
        endpoint.libStart()
        return endpoint

    def tell(self, event: str, **facts: Any) -> None:
        """Write one event."""
        self.write({"event": event, "at": time.monotonic(), **facts})

    def write(self, line: dict[str, Any]) -> None:
        """Write one line to whoever drives the phone."""
        os.write(self.pipe_out, json.dumps(line).encode() + b"\n")

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        """Do something later, in this loop."""
        heapq.heappush(self.later, (time.monotonic() + seconds, next(self.numbers), what))

    def receive(self, call: Call, rule: dict[str, Any]) -> None:
        """Ring or not, and answer by and by: {"ring": 180 or 183, "after": seconds, "code": final, "headers": …}."""
        if ring := rule.get("ring"):
            call.answer(options(ring))
        if code := rule.get("code"):
            self.after(rule.get("after", 0), lambda: call.answer(options(code, rule.get("headers"))))

    def run(self) -> None:
        """Until the pipe is closed."""
        rest = b""
        while True:
            self.endpoint.libHandleEvents(TICK_MS)
            self.what_is_due()
            if select.select([self.pipe_in], [], [], 0)[0]:
                read = os.read(self.pipe_in, 65536)
                if not read:
                    return
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))

    def what_is_due(self) -> None:
        """Do what was put off until now; a call that has ended meanwhile is no reason to complain."""
        while self.later and self.later[0][0] <= time.monotonic():
            what = heapq.heappop(self.later)[2]
            try:
                what()
            except pj.Error as error:
                self.tell("late", reason=error.reason)

    def obey(self, command: dict[str, Any]) -> None:
        """Do one command and reply."""
        number, do = command.pop("id"), command.pop("do")
        try:
            self.write({"reply": number, "value": getattr(self, f"do_{do}")(**command)})
        except pj.Error as error:
            self.write({"reply": number, "error": f"{do}: {error.reason}"})
        except Exception as error:
            self.write({"reply": number, "error": f"{do}: {type(error).__name__}: {error}"})

    # Commands

    def do_become(self, *, tone: int, rules: dict[str, Any], codecs: list[str], **account: Any) -> list[int]:
        """Be this phone from now on; what it was before ends. Returns its SIP port, and a number below that of its first call."""
        self.do_forget()
        self.hertz, self.rules = tone, rules
        self.prefer(codecs)
        where = account["transport"], account["address"], account["port"], account["authorities"]
        transport = self.transport(*where)
        self.line = Line(self)
        self.line.create(self.account(transport, **account))
        port = self.endpoint.transportGetInfo(transport).localAddress.rpartition(":")[2]
        return [int(port), next(self.numbers)]

    def do_forget(self) -> None:
        """End the calls and the account."""
        self.later.clear()
        self.endpoint.hangupAllCalls()
        for call in self.calls.values():
            call.recorder = call.source = call.audio = None
        old, self.line = self.line, None
        if old is not None:
            old.shutdown()
        self.calls.clear()

    def prefer(self, codecs: list[str]) -> None:
        """These codecs alone, in this order."""
        for known in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(known.codecId, 0)
        for at, codec in enumerate(codecs):
            self.endpoint.codecSetPriority(CODECS.get(codec, codec), 250 - at)

    def transport(self, kind: str, address: str, port: int, authorities: str) -> int:
        """A transport there, made once: a process may have eight."""
        key = kind, address, port, authorities
        if key not in self.transports:
            config = pj.TransportConfig()
            config.boundAddress, config.port = address, port
            config.tlsConfig.verifyServer, config.tlsConfig.CaListFile = bool(authorities), authorities
            self.transports[key] = self.endpoint.transportCreate(TRANSPORTS[kind], config)
        return self.transports[key]

    def account(self, transport_id: int, **wanted: Any) -> pj.AccountConfig:
        """The account, with everything left out that a phone behind a router would try."""
        config = pj.AccountConfig()
        config.idUri = wanted["uri"]
        config.sipConfig.transportId = transport_id
        if wanted["proxy"]:
            config.sipConfig.proxies.append(wanted["proxy"])
        if wanted["registrar"]:
            config.regConfig.registrarUri = wanted["registrar"]
            credentials = pj.AuthCredInfo("digest", "*", wanted["auth_id"], 0, wanted["password"])
            config.sipConfig.authCreds.append(credentials)
        registration = config.regConfig
        registration.registerOnAdd, registration.timeoutSec = False, wanted["expires"]
        registration.retryIntervalSec = registration.firstRetryIntervalSec = wanted["retry"]
        nat = config.natConfig
        nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = nat.sipOutboundUse = (
            nat.udpKaIntervalSec
        ) = 0
        media = config.mediaConfig
        media.srtpUse, media.srtpSecureSignaling, media.lockCodecEnabled = SRTP[wanted["srtp"]], 0, False
        media.transportConfig.boundAddress, media.transportConfig.port = wanted["address"], wanted["rtp_port"]
        media.transportConfig.portRange = wanted["rtp_range"]
        media.transportConfig.randomizePort = bool(wanted["rtp_range"])
        return config

    def do_register(self, on: bool) -> None:
        """Register or unregister; the event `registration` says how that ended."""
        assert self.line
        self.line.setRegistration(on)

    def do_rules(self, rules: dict[str, dict[str, Any]]) -> None:
        """What is done with calls from now on."""
        self.rules = rules

    def do_dial(
        self, target: str, headers: dict[str, str], caller: str, tone: int | None, listens: bool
    ) -> int:
        """Call a SIP address; returns the call's number. `caller` stands in From instead of the account; who `listens` sends no sound."""
        assert self.line
        call = Call(self, self.line)
        if tone is not None:
            call.hertz = tone
        param = options(0, headers)
        if caller:
            param.txOption.localUri = caller
        if listens:
            param.opt.flag |= pj.PJSUA_CALL_SET_MEDIA_DIR
            param.opt.mediaDir.append(pj.PJMEDIA_DIR_DECODING)
        try:
            call.makeCall(target, param)
        except pj.Error:
            del self.calls[call.number]
            raise
        return call.number

    def do_lines(self) -> int:
        """How many calls pjsua has still: one that was hung up here has ended at once, and keeps its line until the other side says so."""
        return len({call.getId() for call in self.calls.values() if call.has_a_line()})

    def do_answer(self, call: int, code: int, headers: dict[str, str]) -> None:
        """Answer with any status code."""
        self.calls[call].answer(options(code, headers))

    def do_hangup(self, call: int) -> None:
        """End a call, in whatever state it is; one that has ended stays so."""
        if call in self.calls and self.calls[call].isActive():
            self.calls[call].hangup(options())

    def do_digits(self, call: int, digits: str, info: bool) -> None:
        """Press keys: in the sound's own packets (RFC 4733), or each with a request (INFO)."""
        param = pj.CallSendDtmfParam()
        param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if info else pj.PJSUA_DTMF_METHOD_RFC2833
        param.digits = digits
        self.calls[call].sendDtmf(param)

    def do_transfer(self, call: int, target: str, headers: dict[str, str]) -> None:
        """Ask the other side to call somebody else instead (REFER)."""
        self.calls[call].xfer(target, options(0, headers))

    def do_join(self, call: int, other: int) -> None:
        """Ask the other side to talk to that of another call (REFER with Replaces)."""
        self.calls[call].xferReplaces(self.calls[other], options())

    def do_hold(self, call: int, on: bool) -> None:
        """Hold, or go on."""
        param = options()
        if on:
            self.calls[call].setHold(param)
        else:
            param.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.calls[call].reinvite(param)

    def do_play(self, call: int, path: str) -> None:
        """Speak a WAV file."""
        self.calls[call].play(path)

    def do_sound(self, call: int, hertz: int) -> None:
        """Speak another tone."""
        self.calls[call].sound(hertz)

    def do_statistics(self, call: int) -> dict[str, Any]:
        """What came in."""
        return self.calls[call].statistics()


def main() -> None:
    """Run until the pipe is closed, then leave without pjsua's destructors, which fail in the order that Python takes."""
    # pjsua writes to standard output before it can be told not to.
    pipe_out = os.dup(1)
    os.dup2(2 if "SOFTPHONE_LOG" in os.environ else os.open(os.devnull, os.O_WRONLY), 1)
    try:
        worker = Worker(sys.argv[1], sys.argv[2], 0, pipe_out)
        worker.tell("ready")
        worker.run()
        worker.do_forget()
        for _tick in range(20):
            worker.endpoint.libHandleEvents(TICK_MS)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
