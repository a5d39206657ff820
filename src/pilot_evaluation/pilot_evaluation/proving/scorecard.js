// Heat maps of the cut-ins: one small canvas for each pair of speeds, gap across, lateral speed up; a case tells itself when pointed at.
"use strict";
const content = JSON.parse(document.getElementById("cut-ins").textContent);
const COLOURS = content.colours;
const picked = document.getElementById("picked");

function draw(map, figure) {
  const canvas = document.createElement("canvas");
  canvas.width = map.gaps.length * 4;
  canvas.height = map.laterals.length * 4;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", figure.dataset.words);
  const pen = canvas.getContext("2d");
  const cells = new Map();
  for (const row of map.rows) {
    const [gap, lateral, kind] = row;
    pen.fillStyle = COLOURS[kind];
    pen.fillRect(gap * 4, (map.laterals.length - 1 - lateral) * 4, 4, 4);
    cells.set(gap + " " + lateral, row);
  }
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const gap = Math.floor((event.clientX - box.left) / box.width * map.gaps.length);
    const lateral = map.laterals.length - 1 - Math.floor((event.clientY - box.top) / box.height * map.laterals.length);
    return cells.get(gap + " " + lateral);
  };
  canvas.addEventListener("pointermove", (event) => {
    const row = at(event);
    canvas.title = row ? tell(map, row) : "not driven";
  });
  canvas.addEventListener("click", (event) => {
    const row = at(event);
    if (row) show(map, row);
  });
  figure.querySelector(".map").append(canvas);
}

function name(map, row) {
  return ["cut_in", map.ego, map.other, map.gaps[row[0]], map.laterals[row[1]]].join("-");
}

function tell(map, row) {
  const impact = row[3] > 0 ? `, impact ${(3.6 * row[3]).toFixed(0)} km/h` : "";
  return `gap ${map.gaps[row[0]]} m, lateral ${map.laterals[row[1]]} m/s: ${content.words[row[2]]}${impact}, peak ${row[4].toFixed(1)} m/s²`;
}

function show(map, row) {
  picked.textContent = "";
  const words = document.createElement("p");
  words.textContent = `${map.ego} km/h, cut-in at ${map.other} km/h, ${tell(map, row)}`;
  const command = document.createElement("code");
  command.textContent = `./pilot prove --suite r157 --vehicle ${content.vehicle} --seed ${content.seed} --case ${name(map, row)}`;
  picked.append(words, command);
}

for (const [index, figure] of document.querySelectorAll(".maps figure").entries()) draw(content.maps[index], figure);
