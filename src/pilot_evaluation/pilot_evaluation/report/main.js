"use strict";
// Puts the page together and listens to its buttons and keys.

const element = (id) => document.getElementById(id);
const STEP = 0.1; // s, one press of an arrow key
const JUMP = 5; // s, with shift

function showHeadUp(data, player) {
  const gap = data.curves.panels.find((panel) => panel.key === "gap").curves[0];
  const timeGap = data.curves.panels.find((panel) => panel.key === "time_gap").curves.find((curve) => curve.role === "actual");
  const wish = data.curves.panels.find((panel) => panel.key === "speed").curves.find((curve) => curve.role === "wish");
  player.listen((time) => {
    const row = Math.round(time / data.curves.period);
    const value = (curve) => (curve ? curve.values[Math.min(row, curve.values.length - 1)] : NaN);
    const index = time / data.period;
    const mode = data.modes[lastBegun(data.modes, time)];
    const speed = 3.6 * between(data.ego.speed, index);
    const decision = data.decisions[lastBegun(data.decisions, time)];
    const place = rowOf(data.why.index, index);
    const chinese = element("chinese").checked && (data.why.chinese[place] || (decision && decision.why_zh));
    const why = decision ? chinese || `${decision.title}: ${data.why.text[place] || decision.why}` : "";
    element("hud-speed").textContent = Math.abs(speed).toFixed(0);
    element("hud-mode").textContent = mode ? mode.title.split(":")[0] : "";
    element("hud-mode").style.color = mode ? `var(--${MODE_COLOURS[mode.mode]})` : "";
    element("hud-set").textContent = Number.isFinite(value(wish)) ? `set ${value(wish).toFixed(0)} km/h` : "";
    element("hud-gap").textContent = Number.isFinite(value(gap))
      ? `lead ${value(gap).toFixed(0)} m${Number.isFinite(value(timeGap)) ? ` · ${value(timeGap).toFixed(1)} s` : ""}` : "no lead";
    element("why").textContent = why;
    element("why").lang = chinese ? "zh" : "en";
    element("clock").textContent = `${time.toFixed(1)} s of ${data.duration.toFixed(0)} s`;
    element("slider").value = time;
    const words = `${time.toFixed(1)} seconds: ${speed.toFixed(0)} km/h. ${why}`;
    element("slider").setAttribute("aria-valuetext", words);
    if (!player.playing) element("scene-words").textContent = `The car and the traffic around it at ${words}`;
    element("play").textContent = player.playing ? "❚❚" : "▶";
    element("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  });
}

function listenToButtons(player, scene) {
  element("slider").max = player.duration;
  element("slider").addEventListener("input", (event) => player.seek(Number(event.target.value)));
  element("play").addEventListener("click", () => player.toggle());
  element("rate").addEventListener("change", (event) => { player.rate = Number(event.target.value); });
  const setChase = (chase) => {
    scene.setChase(chase);
    element("view-chase").setAttribute("aria-pressed", chase);
    element("view-above").setAttribute("aria-pressed", !chase);
  };
  const setFollow = (follow) => {
    scene.setFollow(follow);
    element("follow").setAttribute("aria-pressed", follow);
  };
  element("view-above").addEventListener("click", () => setChase(false));
  element("view-chase").addEventListener("click", () => setChase(true));
  element("follow").addEventListener("click", () => setFollow(!scene.follow));
  element("zoom-in").addEventListener("click", () => scene.zoom(1.25));
  element("zoom-out").addEventListener("click", () => scene.zoom(0.8));
  return { setChase, setFollow };
}

function listenToKeys(player, scene, { setChase, setFollow }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onControl = event.target.closest?.("button, select, input[type=checkbox]");
    const step = event.shiftKey ? JUMP : STEP;
    const actions = {
      " ": () => !onControl && (player.toggle(), true),
      ArrowLeft: () => !event.target.closest?.("select") && (player.seek(player.time - step), true),
      ArrowRight: () => !event.target.closest?.("select") && (player.seek(player.time + step), true),
      Home: () => (player.seek(0), true),
      End: () => (player.seek(player.duration), true),
      f: () => (setFollow(!scene.follow), true),
      v: () => (setChase(!scene.camera.chase), true),
      "+": () => (scene.zoom(1.25), true),
      "-": () => (scene.zoom(0.8), true),
    };
    if (actions[event.key]?.()) event.preventDefault();
  });
}

/** Where the address ends in #t=12.5, the page opens at that time; with &view=behind, from behind. */
function openAtAddress(player, buttons) {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.get("view") === "behind") buttons.setChase(true);
  if (Number.isFinite(Number(wanted.get("t")))) player.seek(Number(wanted.get("t")));
}

function main() {
  readPalette();
  const data = unpack(JSON.parse(element("data").textContent));
  const player = new Player(data.duration);
  const scene = new Scene(element("scene"), data, player);
  element("legend-truth").hidden = data.others.length === 0;
  const fitted = new Set(data.vehicle.sensors.map((sensor) => sensor.kind));
  for (const key of document.querySelectorAll("[data-sensor]")) key.hidden = !fitted.has(key.dataset.sensor);
  const panels = data.curves.panels.filter((panel) => panel.curves.length);
  const drawn = panels.map((panel) => new CurvePanel(element("curves"), panel, data.curves, player));
  new Story(data, player);
  showHeadUp(data, player);
  const buttons = listenToButtons(player, scene);
  listenToKeys(player, scene, buttons);
  openAtAddress(player, buttons);
  window.addEventListener("hashchange", () => openAtAddress(player, buttons));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readPalette();
    scene.draw(player.time);
    drawn.forEach((panel) => panel.draw());
  });
  window.highwayPilotReport = { data, player, scene };
}

main();
