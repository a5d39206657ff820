"use strict";
// The replay: road, plan, other cars as they are and as they are believed to be, and this car in the middle.

class Scene {
  constructor(canvas, data, player) {
    this.canvas = canvas;
    this.data = data;
    this.player = player;
    this.camera = new Camera();
    this.camera.scale = Math.max(4, Math.min(8, canvas.clientWidth / 130)); // about 130 m of road in sight
    this.follow = true;
    this.heading = smoothed(data.ego.yaw, Math.round(1.5 / data.period));
    this.trajectories = ranges(data.trajectory.count);
    this.paths = ranges(data.path.count);
    this.anchor = [data.ego.x[0], data.ego.y[0], this.heading[0]];
    new ResizeObserver(() => this.draw(player.time)).observe(canvas);
    player.listen((time) => this.draw(time));
    this.listenToPointer();
  }

  /** Sizes the canvas to the device's pixels. */
  prepare() {
    const density = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (this.canvas.width !== Math.round(width * density) || this.canvas.height !== Math.round(height * density)) {
      this.canvas.width = Math.round(width * density);
      this.canvas.height = Math.round(height * density);
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.lineJoin = "round";
    return [context, width, height];
  }

  draw(time) {
    const [context, width, height] = this.prepare();
    if (!width) return;
    const { data, camera } = this;
    const index = time / data.period;
    const ego = { x: between(data.ego.x, index), y: between(data.ego.y, index), heading: between(data.ego.yaw, index) };
    if (this.follow || camera.chase) this.anchor = [ego.x, ego.y, between(this.heading, index)];
    camera.aim(this.anchor, width, height);
    this.drawGround(context, width, height);
    const reach = camera.chase ? 260 : (1.1 * (width + height)) / camera.scale;
    drawRoad(context, camera, data, time, this.anchor, reach);
    this.drawViews(context, ego);
    this.drawPlan(context, Math.round(index));
    this.drawObjects(context, ego, index, time);
    if (!camera.chase) this.drawScaleBar(context, width, height);
  }

  drawGround(context, width, height) {
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, width, height);
    if (!this.camera.chase) return;
    const horizon = 0.44 * height - this.camera.focal * Math.tan(this.camera.pitch);
    const sky = context.createLinearGradient(0, horizon - 160, 0, horizon + 60);
    sky.addColorStop(0, palette.panel);
    sky.addColorStop(1, palette.ground);
    context.fillStyle = sky;
    context.fillRect(0, 0, width, Math.max(0, horizon + 60));
  }

  /** What the sensors can see: sectors in the car's frame. */
  drawViews(context, ego) {
    const faint = Math.min(1, 4 / this.data.vehicle.sensors.length); // many sectors over one another stay as light as few
    for (const sensor of this.data.vehicle.sensors) {
      const [x, y] = placed(ego, sensor.x, sensor.y);
      const from = ego.heading + sensor.yaw - sensor.field_of_view / 2;
      const steps = Math.max(2, Math.ceil(sensor.field_of_view / 0.06));
      const points = sensor.field_of_view < 6.2 ? [[x, y]] : [];
      for (let step = 0; step <= steps; step++) {
        const angle = from + (step / steps) * sensor.field_of_view;
        points.push([x + sensor.range * Math.cos(angle), y + sensor.range * Math.sin(angle)]);
      }
      const style = palette[sensor.kind];
      context.globalAlpha = faint * (this.camera.chase ? 0.03 : 0.05);
      this.camera.fill(context, points, style);
      context.globalAlpha = faint * (this.camera.chase ? 0.1 : 0.2);
      this.camera.stroke(context, points, style, 1, true);
    }
    context.globalAlpha = 1;
  }

  /** The path as a dashed line, the trajectory on it as a band: red where it brakes, green where it accelerates. */
  drawPlan(context, index) {
    const { path, trajectory, vehicle } = this.data;
    const points = (line, [first, end]) => {
      const found = [];
      for (let row = first; row < end; row++) found.push([line.x[row], line.y[row], 0]);
      return found;
    };
    const row = Math.max(0, Math.min(this.paths.length - 1, index));
    context.setLineDash([5, 5]);
    this.camera.stroke(context, points(path, this.paths[row]), palette.steady, 1.2);
    context.setLineDash([]);
    const [first, end] = this.trajectories[row];
    const part = { x: trajectory.x.subarray(first, end), y: trajectory.y.subarray(first, end) };
    if (end - first < 2) return;
    const left = shifted(part, vehicle.width / 2 - 0.15);
    const right = shifted(part, -vehicle.width / 2 + 0.15);
    for (let step = 0; step + 1 < left.length; step++) {
      const acceleration = trajectory.acceleration[first + step];
      const strength = Math.min(1, Math.abs(acceleration) / 2);
      context.globalAlpha = 0.5 * (1 - step / left.length) + 0.12;
      const style = mix(acceleration < 0 ? palette.slower : palette.faster, palette.steady, strength);
      this.camera.fill(context, [left[step], left[step + 1], right[step + 1], right[step]], style);
    }
    context.globalAlpha = 1;
  }

  drawObjects(context, ego, index, time) {
    const { data, camera } = this;
    const lead = rowOf(data.ego.lead, index);
    const offset = data.vehicle.rear_axle_to_front - data.vehicle.length / 2;
    const [x, y] = placed(ego, offset, 0);
    const own = { ...ego, x, y, length: data.vehicle.length, width: data.vehicle.width, kind: 1, own: true };
    const others = objectsAt(data.others, index).map((box) => ({ ...box, truth: true }));
    const boxes = [...others, ...objectsAt(data.tracks, index), own];
    const far = (box) => camera.view(box.x, box.y)[2] + (box.truth ? 0.5 : 0);
    if (camera.chase) boxes.sort((one, other) => far(other) - far(one));
    for (const box of boxes) {
      if (box.own) this.drawOwn(context, own, index, time);
      else if (box.truth) this.drawTruth(context, box);
      else this.drawTrack(context, box, box.id === lead);
    }
    for (const box of boxes) if (!box.truth && !box.own) this.drawLabel(context, box, box.id === lead);
  }

  drawTruth(context, box) {
    context.globalAlpha = 0.14;
    this.camera.fill(context, corners(box.x, box.y, box.heading, box.length, box.width), palette.truth);
    context.globalAlpha = this.camera.chase ? 0.6 : 0.9;
    drawOutline(context, this.camera, box, palette.truth, this.camera.chase ? 1 : 1.4);
    context.globalAlpha = 1;
  }

  drawTrack(context, box, isLead) {
    drawBody(context, this.camera, box, palette.track, 0.25 + 0.6 * box.existence);
    if (isLead) drawOutline(context, this.camera, box, palette.lead, 2.5, 1.2);
  }

  drawOwn(context, own, index, time) {
    const { data, camera } = this;
    drawBody(context, camera, own, palette.ego, 1);
    drawLamps(context, camera, own, rowOf(data.ego.braking, index) > 0, rowOf(data.ego.indicator, index), time);
  }

  drawLabel(context, box, isLead) {
    const { camera } = this;
    const size = camera.scaleAt(box.x, box.y);
    const point = camera.project(box.x, box.y, camera.chase ? (HEIGHTS[box.kind] || 1.5) + 0.5 : 0);
    if (!point || (size < (camera.chase ? 9 : 3.2) && !isLead)) return; // too small to be told from its neighbours
    const words = `${isLead ? "lead " : ""}${box.id} · ${Math.round(100 * box.existence)} %`;
    context.font = `${isLead ? "600 " : ""}11px system-ui, "DejaVu Sans", sans-serif`;
    const width = context.measureText(words).width + 8;
    const up = camera.chase ? 9 : 0.5 * box.width * size + (isLead ? 15 : 10);
    context.fillStyle = palette["label-back"];
    context.beginPath();
    context.roundRect(point[0] - width / 2, point[1] - up - 8, width, 15, 5);
    context.fill();
    context.fillStyle = isLead ? palette.lead : palette.label;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(words, point[0], point[1] - up);
  }

  drawScaleBar(context, width, height) {
    const metres = [5, 10, 20, 50, 100, 200].find((length) => length * this.camera.scale >= 70) || 500;
    const length = metres * this.camera.scale;
    const [x, y] = [width - length - 16, height - 16];
    context.strokeStyle = context.fillStyle = palette.muted;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x, y);
    context.lineTo(x + length, y);
    context.lineTo(x + length, y - 5);
    context.stroke();
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillText(`${metres} m`, x + length / 2, y - 5);
  }

  /** Closer (factor above 1) or farther. */
  zoom(factor) {
    this.camera.scale = Math.max(0.8, Math.min(40, this.camera.scale * factor));
    this.camera.distance = Math.max(7, Math.min(60, this.camera.distance / factor));
    this.draw(this.player.time);
  }

  setFollow(follow) {
    this.follow = follow;
    if (follow) {
      this.camera.pan = [0, 0];
      this.camera.orbit = 0;
    }
    this.draw(this.player.time);
  }

  setChase(chase) {
    this.camera.chase = chase;
    this.draw(this.player.time);
  }

  listenToPointer() {
    const { canvas, camera } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-0.0015 * event.deltaY));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons) return;
      if (camera.chase) camera.orbit = Math.max(-3.1, Math.min(3.1, camera.orbit - event.movementX * 0.006));
      else {
        camera.pan[0] -= event.movementX / camera.scale;
        camera.pan[1] += event.movementY / camera.scale;
      }
      this.draw(this.player.time);
    });
  }
}

/** Moving average over `reach` rows to both sides: the view turns with the road, not with every steering movement. */
function smoothed(column, reach) {
  return Float64Array.from(column, (_, index) => {
    const first = Math.max(0, index - reach);
    const part = column.subarray(first, Math.min(column.length, index + reach + 1));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
