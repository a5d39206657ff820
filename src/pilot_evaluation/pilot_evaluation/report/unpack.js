"use strict";
// The packed data of the page, and looking things up in it by time.

/** Columns {r, d} become Float64Arrays: running sums of integer differences times the resolution, null becomes NaN. */
function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("r" in value && Array.isArray(value.d)) {
    const column = new Float64Array(value.d.length);
    let last = 0;
    value.d.forEach((difference, index) => {
      if (difference !== null) last += difference;
      column[index] = difference === null ? NaN : last * value.r;
    });
    return column;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}

/** Value of a column at a fractional index, linear between rows; a column of one row is constant. */
function between(column, index) {
  if (column.length === 1) return column[0];
  const low = Math.max(0, Math.min(column.length - 1, Math.floor(index)));
  const high = Math.min(column.length - 1, low + 1);
  const share = Math.max(0, Math.min(1, index - low));
  return column[low] + share * (column[high] - column[low]);
}

/** Value of a column at the row an index lies in. */
function rowOf(column, index) {
  return column.length === 1 ? column[0] : column[Math.max(0, Math.min(column.length - 1, Math.round(index)))];
}

/** Index of the last entry that began at or before a time, −1 before the first. Entries are in order of `t`. */
function lastBegun(entries, time) {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].t <= time + 1e-6) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Flat columns with a count per picture become [start, end) ranges. */
function ranges(counts) {
  let end = 0;
  return counts.map((count) => [end, (end += count)]);
}

/** The stretches of objects that can be seen at a fractional picture index, with their interpolated values. */
function objectsAt(stretches, index) {
  const seen = [];
  for (const stretch of stretches) {
    const row = index - stretch.first;
    if (row < -0.5 || row > stretch.count - 0.5) continue;
    const at = (name) => between(stretch[name], row);
    seen.push({
      id: stretch.id, kind: stretch.class, x: at("x"), y: at("y"), heading: at("heading"), speed: at("speed"),
      length: at("length"), width: at("width"), existence: stretch.existence ? at("existence") : 1,
      sensors: stretch.sensors ? rowOf(stretch.sensors, row) : 0,
    });
  }
  return seen;
}
