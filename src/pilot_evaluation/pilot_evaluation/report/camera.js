"use strict";
// From metres on the road to pixels: from above, or in perspective from behind the car.

const NEAR = 0.8; // m: nothing nearer to the perspective camera is drawn

class Camera {
  constructor() {
    this.chase = false;
    this.scale = 7; // px/m from above
    this.distance = 16; // m behind the car in perspective
    this.orbit = 0; // rad about the car in perspective
    this.pan = [0, 0]; // m, along and left of the car, where the view is not centred
    this.centre = [0, 0, 0];
  }

  /** Points the camera: car pose [x, y, yaw], size of the canvas in px. */
  aim(pose, width, height) {
    this.width = width;
    this.height = height;
    this.centre = pose;
    this.cosine = Math.cos(pose[2]);
    this.sine = Math.sin(pose[2]);
    this.elevation = 0.27 * this.distance + 1.4;
    this.pitch = Math.atan2(this.elevation, this.distance + 26);
    this.focal = 1.15 * Math.max(height, 0.5 * width);
  }

  /** Place of a point along and to the left of the car. */
  local(x, y) {
    const dx = x - this.centre[0];
    const dy = y - this.centre[1];
    return [this.cosine * dx + this.sine * dy, this.cosine * dy - this.sine * dx];
  }

  /** A point in camera axes: right, down, depth (from above: pixels and 1). */
  view(x, y, z = 0) {
    const [along, left] = this.local(x, y);
    if (!this.chase) {
      const ahead = Math.min(0.32 * this.width, 45 * this.scale);
      return [ahead + this.scale * (along - this.pan[0]), 0.5 * this.height - this.scale * (left - this.pan[1]), 1];
    }
    const forward = Math.cos(this.orbit) * along + Math.sin(this.orbit) * left;
    const right = Math.sin(this.orbit) * along - Math.cos(this.orbit) * left;
    const depth = forward + this.distance;
    const below = this.elevation - z;
    return [right, Math.cos(this.pitch) * below - Math.sin(this.pitch) * depth, Math.cos(this.pitch) * depth + Math.sin(this.pitch) * below];
  }

  /** Camera axes to pixels. */
  screen([right, down, depth]) {
    if (!this.chase) return [right, down];
    return [0.5 * this.width + (this.focal * right) / depth, 0.44 * this.height + (this.focal * down) / depth];
  }

  /** Pixels of a point, null where it is behind the camera. */
  project(x, y, z = 0) {
    const point = this.view(x, y, z);
    return this.chase && point[2] < NEAR ? null : this.screen(point);
  }

  /** Pixels per metre at a point. */
  scaleAt(x, y) {
    return this.chase ? this.focal / Math.max(NEAR, this.view(x, y)[2]) : this.scale;
  }

  /** Traces a polygon or an open line of [x, y, z] points, cut off at the near plane. */
  trace(context, points, close) {
    context.beginPath();
    const seen = points.map(([x, y, z]) => this.view(x, y, z || 0));
    const count = close ? seen.length : seen.length - 1;
    let pen = false;
    const to = (point) => {
      const [px, py] = this.screen(point);
      if (pen) context.lineTo(px, py);
      else context.moveTo(px, py);
      pen = true;
    };
    for (let index = 0; index < count; index++) {
      const from = seen[index];
      const next = seen[(index + 1) % seen.length];
      const fromSeen = !this.chase || from[2] >= NEAR;
      const nextSeen = !this.chase || next[2] >= NEAR;
      if (fromSeen && !pen) to(from);
      if (fromSeen !== nextSeen) {
        const share = (NEAR - from[2]) / (next[2] - from[2]);
        to(from.map((value, axis) => value + share * (next[axis] - value)));
      }
      if (nextSeen) to(next);
      else if (!close) pen = false;
    }
    if (close) context.closePath();
  }

  fill(context, points, style) {
    this.trace(context, points, true);
    context.fillStyle = style;
    context.fill();
  }

  stroke(context, points, style, width, close = false) {
    this.trace(context, points, close);
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}
