// The library of greetings: recording with this computer's microphone, dropping files, players, and cutting by ear.
// Without it files are uploaded, played, cut by numbers and renamed all the same.
(() => {
  "use strict";
  const LONGEST = 600; // seconds: what fits into the library, and longer than anybody listens
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const of = (element, name) => element.closest(".greetings")?.querySelector(`[data-record-${name}]`);

  // --- Recording: one at a time on a page ---
  let recording = null;

  class Recording {
    constructor(box, stream) {
      this.box = box;
      this.stream = stream;
      this.parts = [];
      this.passed = 0;
      this.since = performance.now();
      this.recorder = new MediaRecorder(stream);
      this.recorder.addEventListener("dataavailable", (event) => event.data.size && this.parts.push(event.data));
      this.recorder.addEventListener("stop", () => this.ended());
      // Unplugged, or taken away in the browser's own menu: what there is so far is kept.
      stream.getTracks().forEach((track) => track.addEventListener("ended", () => this.stop()));
      this.recorder.start(1000);
      this.listen();
      this.tick();
    }

    listen() {
      this.sound = new AudioContext();
      this.analyser = this.sound.createAnalyser();
      this.analyser.fftSize = 1024;
      this.sound.createMediaStreamSource(this.stream).connect(this.analyser);
      this.samples = new Float32Array(this.analyser.fftSize);
    }

    get seconds() {
      return this.passed + (this.recorder.state === "recording" ? (performance.now() - this.since) / 1000 : 0);
    }

    tick() {
      if (this.recorder.state === "inactive") return;
      if (!this.box.isConnected) return this.throwAway();
      let peak = 0;
      if (this.recorder.state === "recording") {
        this.analyser.getFloatTimeDomainData(this.samples);
        for (const sample of this.samples) peak = Math.max(peak, Math.abs(sample));
      }
      // As ears have it: from -60 dB to full.
      of(this.box, "level").value = peak > 0.001 ? 100 + (20 * Math.log10(peak) * 100) / 60 : 0;
      of(this.box, "time").textContent = clock(this.seconds);
      if (this.seconds >= LONGEST) return this.stop();
      this.frame = setTimeout(() => this.tick(), 60);
    }

    pause() {
      const button = of(this.box, "pause");
      if (this.recorder.state === "recording") {
        this.passed = this.seconds;
        this.recorder.pause();
      } else if (this.recorder.state === "paused") {
        this.since = performance.now();
        this.recorder.resume();
      }
      const paused = this.recorder.state === "paused";
      button.textContent = paused ? button.dataset.goOn : button.dataset.pause;
    }

    stop() {
      if (this.recorder.state !== "inactive") {
        this.length = this.seconds;
        this.recorder.stop();
      }
      this.free();
    }

    free() {
      clearTimeout(this.frame);
      this.stream.getTracks().forEach((track) => track.stop());
      if (this.sound.state !== "closed") this.sound.close();
    }

    ended() {
      this.free();
      if (this.unwanted || !this.box.isConnected) return;
      this.blob = new Blob(this.parts, { type: this.recorder.mimeType });
      this.url = URL.createObjectURL(this.blob);
      of(this.box, "listen").src = this.url;
      of(this.box, "length").textContent = clock(this.length ?? this.seconds);
      show(this.box, "done");
      of(this.box, "listen").focus();
    }

    throwAway() {
      this.unwanted = true;
      this.stop();
      if (this.url) URL.revokeObjectURL(this.url);
      if (recording === this) recording = null;
    }

    keep() {
      const form = this.box.closest(".greetings").querySelector("[data-greeting-add]");
      const ending = this.recorder.mimeType.includes("mp4") ? "mp4" : this.recorder.mimeType.includes("ogg") ? "ogg" : "webm";
      const name = of(this.box, "name");
      if (!name.reportValidity()) return;
      const files = new DataTransfer();
      files.items.add(new File([this.blob], `recording.${ending}`, { type: this.recorder.mimeType }));
      form.elements.sound.files = files.files;
      form.elements.made.value = "browser";
      form.elements.name.value = name.value;
      form.requestSubmit();
    }
  }

  const STATES = ["start", "live", "done"];
  const show = (box, state) => {
    for (const each of STATES) box.querySelector(`[data-record-state="${each}"]`).hidden = each !== state;
    box.querySelector("[data-record-error]").hidden = true;
  };

  const refused = (box, error) => {
    const told = box.querySelector("[data-record-error]");
    const why = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", NotReadableError: "busy" }[error.name];
    told.textContent = box.dataset[why ?? "failed"];
    told.hidden = false;
  };

  const begin = async (box) => {
    recording?.throwAway();
    show(box, "start");
    try {
      // Here, and nowhere else, the browser asks whether the microphone may be used.
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
      show(box, "live");
      recording = new Recording(box, stream);
      of(box, "stop").focus();
    } catch (error) {
      refused(box, error);
    }
  };

  const DOES = {
    start: begin,
    redo: begin,
    pause: () => recording?.pause(),
    stop: () => recording?.stop(),
    keep: () => recording?.keep(),
    away: (box) => {
      recording?.throwAway();
      show(box, "start");
      of(box, "start").focus();
    },
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-record]");
    if (button) DOES[button.dataset.record]?.(button.closest("[data-recorder]"));
  });
  // Shown where it can work: over HTTPS, in a browser that records.
  if (navigator.mediaDevices?.getUserMedia && window.MediaRecorder) document.documentElement.classList.add("can-record");

  // --- Files dropped ---
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      const place = event.target.closest?.("[data-greeting-drop]");
      if (!place) return;
      event.preventDefault();
      place.classList.toggle("is-over", over);
      if (name === "drop" && event.dataTransfer.files.length) {
        const input = place.querySelector("input[type=file]");
        const one = new DataTransfer();
        one.items.add(event.dataTransfer.files[0]);
        input.files = one.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-greeting-add]");
    if (form && event.target.name === "sound") form.elements.made.value = "upload";
  });

  // --- Players: one speaks at a time, the waveform shows where and takes one there ---
  const player = (element) => element.closest("[data-greeting-player]");
  document.addEventListener("play", (event) => {
    for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
  }, true);
  document.addEventListener("timeupdate", (event) => {
    const line = player(event.target)?.querySelector("[data-greeting-at]");
    const audio = event.target;
    const share = audio.duration ? audio.currentTime / audio.duration : 0;
    line?.setAttribute("x1", share * 200);
    line?.setAttribute("x2", share * 200);
    if (audio.until !== undefined && audio.currentTime >= audio.until) {
      audio.until = undefined;
      audio.pause();
    }
  }, true);
  document.addEventListener("click", (event) => {
    const waveform = event.target.closest?.("[data-greeting-player] .waveform");
    if (!waveform) return;
    const audio = player(waveform).querySelector("audio");
    const place = waveform.getBoundingClientRect();
    const go = () => { audio.currentTime = ((event.clientX - place.left) / place.width) * audio.duration; };
    if (audio.readyState) go();
    else audio.addEventListener("loadedmetadata", go, { once: true });
    audio.play();
  });

  // --- Cutting: two sliders over the numbers, and a button that plays what would stay ---
  const number = (input) => Number(input.value.replace(",", "."));
  const bounds = (form) => [form.elements.start, form.elements.end];
  // Sliders and waveform say what the numbers say.
  function draw(form) {
    const [start, end] = bounds(form).map(number);
    const sliders = form.querySelectorAll("input[type=range]");
    const whole = Number(sliders[1].max);
    [start, end].forEach((second, place) => {
      if (Number(sliders[place].value) !== second) sliders[place].value = second;
      sliders[place].setAttribute("aria-valuetext", `${sliders[place].value} s`);
    });
    const kept = form.querySelector("[data-greeting-kept]");
    kept?.setAttribute("x", (start / whole) * 200);
    kept?.setAttribute("width", Math.max(0, ((end - start) / whole) * 200));
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-greeting-cut]");
    if (!form) return;
    const [start, end] = bounds(form);
    const sliders = form.querySelectorAll("input[type=range]");
    if (event.target.type === "range") {
      const [first, last] = [...sliders].map((slider) => Number(slider.value));
      if (event.target === sliders[0] && first > last - 0.1) sliders[0].value = last - 0.1;
      if (event.target === sliders[1] && last < first + 0.1) sliders[1].value = first + 0.1;
      start.value = sliders[0].value;
      end.value = sliders[1].value;
    }
    draw(form);
  });
  document.addEventListener("click", (event) => {
    const form = event.target.closest?.("[data-greeting-hear]")?.closest("[data-greeting-cut]");
    if (!form) return;
    const audio = document.querySelector(`#greeting-${form.dataset.greetingCut} audio`);
    const [start, end] = bounds(form).map(number);
    const go = () => {
      audio.currentTime = start;
      audio.until = end;
      audio.play();
    };
    if (audio.readyState) go();
    else {
      audio.addEventListener("loadedmetadata", go, { once: true });
      audio.load();
      audio.preload = "metadata";
    }
  });

  // --- What comes back from the server is worked into the page (swaps.js); these are left as that can't know them ---
  document.addEventListener("htmx:afterSwap", () => document.querySelectorAll("[data-greeting-cut]").forEach(draw));
  document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
    if (!detail.successful || !target.matches?.(".greetings form")) return;
    if (target.matches("[data-greeting-add]")) {
      const spoken = target.elements.made.value === "browser";
      target.reset();
      target.elements.made.value = "upload";
      if (spoken) {
        const box = target.closest(".greetings").querySelector("[data-recorder]");
        recording?.throwAway();
        of(box, "name").value = "";
        show(box, "start");
        of(box, "start").focus();
      }
    }
    // Renamed: the menu has done its work.
    const menu = target.closest("details.menu");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  // Whoever leaves while the microphone is on turns it off, and is asked before a recording is lost.
  window.addEventListener("beforeunload", (event) => {
    if (recording) event.preventDefault();
  });
})();
