"use strict";
// Cars and other boxes on the road, from above and from behind.

const HEIGHTS = [1.5, 1.5, 3.4, 1.6, 1.7]; // m, by class: unknown, car, truck, two-wheeler, pedestrian
const TRUCK = 2;

/** Corners of a box: centre, heading, extents; front left first, counter-clockwise. */
function corners(x, y, heading, length, width, z = 0) {
  const [cosine, sine] = [Math.cos(heading), Math.sin(heading)];
  return [[1, 1], [-1, 1], [-1, -1], [1, -1]].map(([along, across]) => {
    const [a, c] = [(along * length) / 2, (across * width) / 2];
    return [x + a * cosine - c * sine, y + a * sine + c * cosine, z];
  });
}

/** A place in the car's own axes, relative to its centre. */
function placed(box, along, left, z = 0) {
  const [cosine, sine] = [Math.cos(box.heading), Math.sin(box.heading)];
  return [box.x + along * cosine - left * sine, box.y + along * sine + left * cosine, z];
}

function part(box, along, length, width, z = 0) {
  const [x, y] = placed(box, along, 0);
  return corners(x, y, box.heading, length, width, z);
}

function mix(style, other, share) {
  return `color-mix(in srgb, ${style} ${Math.round(100 * share)}%, ${other})`;
}

/** A filled car. From behind it is solid: two boxes, the sides that face the camera and the roof. */
function drawBody(context, camera, box, style, alpha) {
  context.globalAlpha = alpha;
  if (!camera.chase) {
    roundBox(context, camera, box, style);
  } else {
    const height = HEIGHTS[box.kind] || 1.5;
    const truck = box.kind === TRUCK;
    solid(context, camera, part(box, 0, box.length, box.width), 0.25, truck ? height : 0.58 * height, style);
    if (!truck) solid(context, camera, part(box, -0.07 * box.length, 0.5 * box.length, 0.84 * box.width), 0.58 * height, height, mix(style, "#0b1016", 0.55));
  }
  context.globalAlpha = 1;
}

function solid(context, camera, base, low, high, style) {
  const middle = base.reduce(([x, y], point) => [x + point[0] / 4, y + point[1] / 4], [0, 0]);
  const eye = camera.view(middle[0], middle[1]);
  const faces = base.map((from, index) => {
    const to = base[(index + 1) % 4];
    const depth = camera.view((from[0] + to[0]) / 2, (from[1] + to[1]) / 2)[2];
    return { from, to, depth };
  });
  faces.sort((one, other) => other.depth - one.depth);
  for (const { from, to, depth } of faces) {
    if (depth > eye[2]) continue;
    const shade = Math.abs(depth - faces[3].depth) < 1e-6 ? 0.82 : 0.64;
    camera.fill(context, [[from[0], from[1], low], [to[0], to[1], low], [to[0], to[1], high], [from[0], from[1], high]], mix(style, "#000", shade));
  }
  camera.fill(context, base.map(([x, y]) => [x, y, high]), style);
}

/** From above: a rounded body with a front and a rear window. */
function roundBox(context, camera, box, style) {
  const [px, py] = camera.project(box.x, box.y);
  const scale = camera.scale;
  context.save();
  context.translate(px, py);
  context.rotate(camera.centre[2] - box.heading);
  const [length, width] = [Math.max(4, box.length * scale), Math.max(3, box.width * scale)];
  context.fillStyle = style;
  context.beginPath();
  context.roundRect(-length / 2, -width / 2, length, width, Math.min(width * 0.28, 8));
  context.fill();
  if (box.kind !== TRUCK && scale > 4) {
    context.fillStyle = "#0b1016";
    context.globalAlpha *= 0.5;
    context.fillRect(0.1 * length, -0.38 * width, 0.13 * length, 0.76 * width);
    context.fillRect(-0.36 * length, -0.36 * width, 0.09 * length, 0.72 * width);
  }
  context.restore();
}

/** The outline of a box on the ground (from behind: of its whole height too). */
function drawOutline(context, camera, box, style, width, grow = 0) {
  const base = corners(box.x, box.y, box.heading, box.length + grow, box.width + grow);
  camera.stroke(context, base, style, width, true);
  if (!camera.chase || grow) return;
  const height = HEIGHTS[box.kind] || 1.5;
  camera.stroke(context, base.map(([x, y]) => [x, y, height]), style, width, true);
  for (const [x, y] of base) camera.stroke(context, [[x, y, 0], [x, y, height]], style, width);
}

/** Brake lamps and blinking indicators of a car (indicator: 1 left, 2 right, 3 both), seen from above and from behind. */
function drawLamps(context, camera, box, braking, indicator, time) {
  const lamp = (along, left, style, size) => {
    const point = camera.project(...placed(box, along, left, camera.chase ? 0.75 : 0));
    if (!point) return;
    const radius = size * camera.scaleAt(box.x, box.y);
    context.fillStyle = style;
    context.shadowColor = style;
    context.shadowBlur = 3 * radius;
    context.beginPath();
    context.arc(point[0], point[1], Math.max(2, radius), 0, 2 * Math.PI);
    context.fill();
    context.shadowBlur = 0;
  };
  const side = 0.4 * box.width;
  if (braking) for (const left of [side, -side]) lamp(-box.length / 2, left, "#ff2d20", 0.22);
  if (!indicator || (time * 1.5) % 1 > 0.55) return; // 90 flashes a minute, as UN R48 asks
  for (const along of [box.length / 2, -box.length / 2]) {
    if (indicator !== 2) lamp(along, side * 1.15, "#ffb000", 0.2);
    if (indicator !== 1) lamp(along, -side * 1.15, "#ffb000", 0.2);
  }
}
