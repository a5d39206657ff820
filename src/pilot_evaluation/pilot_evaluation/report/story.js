"use strict";
// The list of decisions, changes of mode and events in words, and their marks above the time slider.

const MODE_COLOURS = ["muted", "muted", "good", "warn", "bad", "bad"]; // off, standby, active, override, takeover, minimum risk
const MANOEUVRE_COLOURS = ["line", "steady", "track", "lead", "camera", "radar", "bad", "bad"];
const LEVEL_COLOURS = { notice: "warn", alarm: "bad" };

class Story {
  constructor(data, player) {
    this.player = player;
    this.list = document.getElementById("story");
    this.entries = [
      ...data.modes.map((entry) => ({ ...entry, type: "mode", mark: MODE_COLOURS[entry.mode] })),
      ...data.decisions.map((entry) => ({ ...entry, type: "decision", mark: MANOEUVRE_COLOURS[entry.manoeuvre] })),
      ...data.events.map((entry) => ({ ...entry, type: "event", mark: LEVEL_COLOURS[entry.level] })),
    ].sort((one, other) => one.t - other.t);
    for (const entry of this.entries) this.list.append(this.row(entry));
    if (!this.entries.length) this.list.append(Object.assign(document.createElement("li"), { className: "empty", textContent: "The run holds no plans, modes or events." }));
    this.decisions = this.entries.filter((entry) => entry.type === "decision");
    const checkbox = document.getElementById("show-events");
    const chinese = document.getElementById("chinese");
    chinese.addEventListener("change", () => {
      this.list.classList.toggle("with-chinese", chinese.checked);
      player.seek(player.time);
    });
    checkbox.addEventListener("change", () => this.list.classList.toggle("no-events", !checkbox.checked));
    this.drawBands(data);
    player.listen((time) => this.show(time));
  }

  row(entry) {
    const item = document.createElement("li");
    item.className = entry.type;
    const button = document.createElement("button");
    button.type = "button";
    button.style.setProperty("--mark", `var(--${entry.mark})`);
    const time = document.createElement("time");
    time.textContent = `${entry.t.toFixed(1)} s`;
    const text = document.createElement("span");
    text.className = "text";
    const add = (className, words) => words && text.append(Object.assign(document.createElement("span"), { className, textContent: words }));
    add("what", entry.title);
    add("because", entry.why);
    if (entry.why_zh) {
      add("because chinese", entry.why_zh);
      text.lastChild.lang = "zh";
    }
    add("else", entry.next && `Next: ${entry.next}`);
    add("else", entry.brief > 0 && `with ${entry.brief} brief ${entry.brief === 1 ? "change" : "changes"} of the reason`);
    button.append(time, text);
    button.addEventListener("click", () => this.player.seek(entry.t));
    item.append(button);
    entry.button = button;
    return item;
  }

  drawBands(data) {
    const home = document.getElementById("bands");
    const share = (time) => (100 * time) / Math.max(data.duration, 1e-6);
    const band = (className, entries, end) => entries.forEach((entry, index) => {
      const mark = document.createElement("i");
      mark.className = className;
      mark.title = `${entry.t.toFixed(1)} s: ${entry.title}`;
      const start = Math.max(0, entry.t);
      mark.style.left = `${share(start)}%`;
      mark.style.width = `${Math.max(0, share(end(entry, index) - start))}%`;
      mark.style.background = `var(--${entry.mark})`;
      home.append(mark);
    });
    const untilNext = (entries) => (entry, index) => (entries[index + 1] ? entries[index + 1].t : data.duration);
    const ofType = (type) => this.entries.filter((entry) => entry.type === type);
    band("mode", ofType("mode"), untilNext(ofType("mode")));
    band("manoeuvre", this.decisions, untilNext(this.decisions));
    band("event", ofType("event"), (entry) => entry.end);
  }

  show(time) {
    const current = this.decisions[lastBegun(this.decisions, time)];
    if (current === this.current) return;
    this.current?.button.removeAttribute("aria-current");
    this.current = current;
    if (!current) return;
    current.button.setAttribute("aria-current", "true");
    const { offsetTop, offsetHeight } = current.button.parentElement;
    const { scrollTop, clientHeight } = this.list;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight) {
      this.list.scrollTop = offsetTop - clientHeight / 3; // only the list scrolls, never the page under the reader
    }
  }
}
