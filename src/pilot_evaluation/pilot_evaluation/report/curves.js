"use strict";
// The curves under the scene, each with a line at the time that is shown; pressing on one goes to that time.

const DASHES = { wish: [5, 4], limit: [2, 3], command: [], sent: [], actual: [], other: [] };
const WIDTHS = { actual: 1.9, command: 1.3, sent: 1.3, wish: 1.3, limit: 1.3, other: 1.5 };
const LEFT = 34; // px for the numbers
const BELOW = 18;

function roleColour(role) {
  return palette[role === "limit" ? "limit-curve" : role];
}

/** A step of 1, 2 or 5 times a power of ten, so that about `wanted` fit into a span. */
function niceStep(span, wanted) {
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
}

class CurvePanel {
  constructor(home, panel, curves, player) {
    Object.assign(this, { panel, curves, player });
    this.figure = document.createElement("figure");
    this.figure.className = "curve";
    const caption = document.createElement("figcaption");
    const title = document.createElement("h3");
    title.textContent = `${panel.title} `;
    const unit = document.createElement("small");
    unit.textContent = panel.unit;
    title.append(unit);
    caption.append(title);
    this.values = panel.curves.map((curve) => {
      const label = this.legend(curve);
      title.after(label); // what is drawn last, on top, is named first
      return label.querySelector("b");
    });
    this.plot = document.createElement("div");
    this.plot.className = "plot";
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.inWords());
    this.cross = document.createElement("div");
    this.cross.className = "cross";
    this.plot.append(this.canvas, this.cross);
    this.figure.append(caption, this.plot);
    home.append(this.figure);
    this.range = this.valueRange();
    new ResizeObserver(() => this.draw()).observe(this.plot);
    player.listen((time) => this.show(time));
    const seek = (event) => event.buttons && player.seek(((event.offsetX - LEFT) / (this.plot.clientWidth - LEFT)) * player.duration);
    this.plot.addEventListener("pointerdown", seek);
    this.plot.addEventListener("pointermove", seek);
  }

  legend(curve) {
    const label = document.createElement("span");
    label.className = "value";
    const line = document.createElement("i");
    line.style.borderTopColor = `var(--${curve.role === "limit" ? "limit-curve" : curve.role})`;
    line.classList.toggle("dashed", DASHES[curve.role].length > 0);
    label.append(line, `${curve.label} `, document.createElement("b"));
    return label;
  }

  inWords() {
    const parts = this.panel.curves.map((curve) => {
      const values = curve.values.filter(Number.isFinite);
      const [low, high] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
      return `${curve.label} from ${low.toFixed(2)} to ${high.toFixed(2)} ${this.panel.unit}`;
    });
    return `${this.panel.title} over time: ${parts.join("; ") || "no values"}`;
  }

  valueRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const curve of this.panel.curves) {
      for (const value of curve.values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) return [0, 1];
    for (const bound of this.panel.bounds) { // a limit far away from what happened would only flatten the curve
      const span = Math.max(high - low, 1e-3);
      if (bound > high && bound - high < 1.5 * span) high = bound;
      if (bound < low && low - bound < 1.5 * span) low = bound;
    }
    if (this.panel.floor !== null) low = Math.min(low, this.panel.floor);
    const margin = Math.max(0.06 * (high - low), 0.01);
    return [low === this.panel.floor ? low : low - margin, high + margin];
  }

  place(value) {
    const [low, high] = this.range;
    return 4 + (this.height - BELOW - 4) * (1 - (value - low) / (high - low));
  }

  draw() {
    const density = window.devicePixelRatio || 1;
    const width = this.plot.clientWidth;
    this.height = this.plot.clientHeight;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(this.height * density);
    const context = this.canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.font = '10.5px system-ui, "DejaVu Sans", sans-serif';
    const across = (width - LEFT) / Math.max(this.player.duration, 1e-6);
    this.drawGrid(context, width, across);
    for (const bound of this.panel.bounds) {
      if (bound < this.range[0] || bound > this.range[1]) continue;
      context.setLineDash([2, 3]);
      this.line(context, [[LEFT, this.place(bound)], [width, this.place(bound)]], palette["limit-curve"], 1.3);
    }
    for (const curve of this.panel.curves) {
      context.setLineDash(DASHES[curve.role]);
      let run = [];
      const flush = () => {
        if (run.length) this.line(context, run, roleColour(curve.role), WIDTHS[curve.role]);
        run = [];
      };
      curve.values.forEach((value, index) => {
        if (Number.isFinite(value)) run.push([LEFT + across * index * this.curves.period, this.place(value)]);
        else flush();
      });
      flush();
    }
    context.setLineDash([]);
    this.show(this.player.time);
  }

  drawGrid(context, width, across) {
    const [low, high] = this.range;
    const step = niceStep(high - low, 4);
    context.fillStyle = palette.muted;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      this.line(context, [[LEFT, this.place(value)], [width, this.place(value)]], palette.grid, 1);
      const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      context.fillText(Math.abs(value) < 1e-9 ? "0" : value.toFixed(digits), LEFT - 5, this.place(value));
    }
    context.textBaseline = "alphabetic";
    const tick = niceStep(this.player.duration, 6);
    for (let time = 0; time <= this.player.duration + 1e-6; time += tick) {
      context.textAlign = time === 0 ? "left" : LEFT + across * time > width - 14 ? "right" : "center";
      context.fillText(`${Number(time.toFixed(1))} s`, LEFT + across * time, this.height - 4);
    }
  }

  line(context, points, style, width) {
    context.beginPath();
    points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }

  show(time) {
    const width = this.plot.clientWidth;
    this.cross.style.transform = `translateX(${LEFT + ((width - LEFT) * time) / Math.max(this.player.duration, 1e-6)}px)`;
    const index = Math.round(time / this.curves.period);
    this.panel.curves.forEach((curve, row) => {
      const value = curve.values[Math.min(index, curve.values.length - 1)];
      const digits = Math.max(...curve.values.filter(Number.isFinite).map(Math.abs)) < 10 ? 2 : Math.abs(value) < 10 ? 1 : 0;
      this.values[row].textContent = Number.isFinite(value) ? value.toFixed(digits) : "–";
    });
  }
}
