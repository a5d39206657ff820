"use strict";
// The one clock of the page: everything that shows something at a time listens to it.

class Player {
  constructor(duration) {
    this.duration = duration;
    this.time = 0;
    this.rate = 1;
    this.playing = false;
    this.listeners = [];
  }

  /** Calls `listener(time)` now and at every change of the time. */
  listen(listener) {
    this.listeners.push(listener);
    listener(this.time);
  }

  /** Goes to a time, held inside the run. */
  seek(time) {
    this.time = Math.max(0, Math.min(this.duration, time));
    for (const listener of this.listeners) listener(this.time);
  }

  /** Starts (from the beginning where the end was reached) or stops. */
  toggle(play = !this.playing) {
    if (play === this.playing) return;
    this.playing = play;
    if (play && this.time >= this.duration) this.time = 0;
    this.last = null;
    if (play) requestAnimationFrame((now) => this.tick(now));
    this.seek(this.time);
  }

  tick(now) {
    if (!this.playing) return;
    const passed = this.last === null ? 0 : Math.min(0.25, (now - this.last) / 1000); // a hidden tab does not jump ahead
    this.last = now;
    if (this.time + passed * this.rate >= this.duration) this.playing = false;
    this.seek(this.time + passed * this.rate);
    if (this.playing) requestAnimationFrame((next) => this.tick(next));
  }
}

/** A colour of the style sheet by name. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** All colours the canvases need, read once per theme. */
let palette = {};
function readPalette() {
  const names = ["ground", "road", "paint", "seen", "truth", "track", "lead", "ego", "ego-dark", "slower", "steady", "faster",
    "camera", "radar", "lidar", "label", "label-back", "grid", "muted", "text", "line", "actual", "command", "sent", "wish", "limit-curve",
    "other", "bad", "warn", "good", "accent", "panel", "page"];
  palette = Object.fromEntries(names.map((name) => [name, colour(name)]));
}
