"use strict";
// The road: asphalt and paint as they are where the run knows them, and the lanes as the car sees them.

const DASHED = 1;
const ROAD_EDGE = 3;
const SHOULDER = 1.2; // m of asphalt beyond the outer lines
const DASH_STEP = 6; // m between points of a true road: dashes stay in place while the part in view moves on

/** The line `offset` metres (a number, or a column with one per point) to the left of columns x, y. */
function shifted(line, offset, first = 0, last = line.x.length - 1) {
  const points = [];
  for (let index = first; index <= last; index++) {
    const before = Math.max(0, index - 1);
    const after = Math.min(line.x.length - 1, index + 1);
    const dx = line.x[after] - line.x[before];
    const dy = line.y[after] - line.y[before];
    const length = Math.hypot(dx, dy) || 1;
    const left = typeof offset === "number" ? offset : offset[index];
    points.push([line.x[index] - (left * dy) / length, line.y[index] + (left * dx) / length, 0]);
  }
  return points;
}

/** Offsets of the boundaries of a picture of lanes, right to left, with the kind of paint. */
function boundaries(picture) {
  const found = picture.offset.map((offset, lane) => ({ offset: offset - picture.width[lane] / 2, mark: picture.right_mark[lane] }));
  const leftmost = picture.offset.length - 1;
  if (leftmost >= 0) found.push({ offset: picture.offset[leftmost] + picture.width[leftmost] / 2, mark: picture.left_mark[leftmost] });
  return found;
}

function drawAsphalt(context, camera, line, right, left, first, last) {
  camera.fill(context, [...shifted(line, right, first, last), ...shifted(line, left, first, last).reverse()], palette.road);
}

/** Paints a boundary; where its offset is not a number it does not exist. */
function drawPaint(context, camera, line, boundary, style, width, first, last) {
  const dashed = boundary.mark === DASHED;
  const stretches = [[]];
  for (const point of shifted(line, boundary.offset, first, last)) {
    if (Number.isNaN(point[0])) stretches.push([]);
    else stretches.at(-1).push(point);
  }
  for (const points of stretches) {
    if (points.length < 2) continue;
    if (dashed) paintDashes(context, camera, points, style, width, first * DASH_STEP);
    else camera.stroke(context, points, style, boundary.mark === ROAD_EDGE ? width * 1.5 : width);
  }
}

/** 6 m painted, 12 m not: the pattern of the German motorway. */
function paintDashes(context, camera, points, style, width, along) {
  for (let index = 0; index + 1 < points.length; index++) {
    const [from, to] = [points[index], points[index + 1]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    for (let start = -(along % 18); start < length; start += 18) {
      const shares = [Math.max(0, start), Math.min(length, start + 6)].map((distance) => distance / length);
      if (shares[1] <= shares[0]) continue;
      camera.stroke(context, shares.map((share) => [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1]), 0]), style, width);
    }
    along += length;
  }
}

/** Indices of a line's points within `reach` metres of a place. */
function near(line, [x, y], reach) {
  let first = -1;
  let last = -1;
  for (let index = 0; index < line.x.length; index++) {
    if (Math.hypot(line.x[index] - x, line.y[index] - y) > reach) continue;
    if (first < 0) first = index;
    last = index;
  }
  return first < 0 ? null : [Math.max(0, first - 1), Math.min(line.x.length - 1, last + 1)];
}

function drawRoad(context, camera, data, time, pose, reach) {
  const current = data.lanes[lastBegun(data.lanes, time)];
  if (data.road) drawTrueRoad(context, camera, data.road, pose, reach);
  else {
    for (const picture of data.lanes) { // what was seen before and will be seen: asphalt behind and far ahead of the car
      if (Math.abs(picture.t - time) > 12 || picture.x.length < 2) continue;
      const inView = near(picture, pose, reach);
      const lines = boundaries(picture);
      if (inView) drawAsphalt(context, camera, picture, lines[0].offset - SHOULDER, lines.at(-1).offset + SHOULDER, ...inView);
    }
  }
  if (!current || current.x.length < 2) return;
  const lines = boundaries(current);
  const end = current.x.length - 1;
  const lane = current.ego_lane;
  const half = current.width[lane] / 2;
  const seenEnd = Math.min(end, Math.ceil((current.behind + current.sight) / 10));
  if (!data.road) lines.forEach((line) => drawPaint(context, camera, current, line, palette.paint, paintWidth(camera), 0, end));
  context.globalAlpha = 0.1;
  const right = shifted(current, current.offset[lane] - half, 0, seenEnd);
  camera.fill(context, [...right, ...shifted(current, current.offset[lane] + half, 0, seenEnd).reverse()], palette.seen);
  context.globalAlpha = 0.55;
  for (const line of lines) camera.stroke(context, shifted(current, line.offset, 0, seenEnd), palette.seen, 1);
  context.globalAlpha = 1;
}

function paintWidth(camera) {
  return camera.chase ? 2 : Math.max(1, 0.15 * camera.scale);
}

function drawTrueRoad(context, camera, road, pose, reach) {
  const inView = near(road, pose, reach);
  if (!inView) return;
  drawAsphalt(context, camera, road, road.right.map((offset) => offset - SHOULDER), road.left.map((offset) => offset + SHOULDER), ...inView);
  for (const line of road.boundaries) drawPaint(context, camera, road, line, palette.paint, paintWidth(camera), ...inView);
}
