// Uses the page as a reader would and tells what came of it.
(async () => {
  const { player, scene, data } = window.highwayPilotReport;
  const found = {};
  const at = (id) => document.getElementById(id);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const pixels = (canvas) => { // read from a copy: reading the canvas itself would change how the browser treats it
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const colours = (canvas) => new Set(new Uint32Array(pixels(canvas).buffer)).size;
  const picture = () => pixels(at("scene")).reduce((sum, value, index) => (sum * 31 + value * (index % 97)) % 1000003, 7);
  const press = (key, more = {}) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
  const pointer = (target, type, more) => target.dispatchEvent(new PointerEvent(type, { bubbles: true, ...more }));

  await pause(100); // the observers of sizes report first
  found.scene_colours = colours(at("scene"));
  found.curve_colours = [...document.querySelectorAll(".plot canvas")].map(colours);
  found.curve_titles = [...document.querySelectorAll(".curve h3")].map((title) => title.textContent.trim());

  const first = picture();
  at("slider").value = 12;
  at("slider").dispatchEvent(new Event("input"));
  found.slider_time = player.time;
  found.slider_clock = at("clock").textContent;
  found.slider_words = at("slider").getAttribute("aria-valuetext");
  found.slider_changes_picture = picture() !== first;
  found.speed_shown = Number(at("hud-speed").textContent);

  const entries = [...document.querySelectorAll("#story button")];
  found.story = entries.map((button) => button.querySelector(".what").textContent);
  const change = entries.find((button) => button.textContent.includes("Lane change to the left") && button.closest(".decision"));
  if (change) {
    change.click();
    found.decision_time = player.time;
    found.decision_current = change.getAttribute("aria-current");
    found.current_count = document.querySelectorAll("[aria-current=true]").length;
    found.why = at("why").textContent;
  }
  player.seek(10);
  press("ArrowRight");
  press("ArrowRight", { shiftKey: true });
  press("ArrowLeft");
  found.keys_time = player.time;
  press(" ");
  found.space_plays = player.playing;
  for (let frame = 0; frame < 60 && player.time === found.keys_time; frame++) await new Promise(requestAnimationFrame);
  press(" ");
  found.space_stops = !player.playing;
  found.played = player.time - found.keys_time;

  const above = picture();
  at("zoom-in").click();
  found.zoom_changes_picture = picture() !== above;
  const zoomed = picture();
  pointer(at("scene"), "pointermove", { buttons: 1, movementX: 40, movementY: 5 });
  found.drag_changes_picture = picture() !== zoomed;
  press("v");
  found.behind = scene.camera.chase && at("view-chase").getAttribute("aria-pressed") === "true";
  found.behind_colours = colours(at("scene"));
  found.every_second_behind = true;
  for (let time = 0; time <= data.duration; time += 1) player.seek(time);
  press("v");

  const plot = document.querySelector(".plot");
  if (plot) {
    const box = plot.getBoundingClientRect();
    pointer(plot, "pointerdown", { buttons: 1, clientX: box.left + 34 + (box.width - 34) / 2, clientY: box.top + 20 });
    found.curve_press_time = player.time;
  }
  at("show-events").click();
  found.events_hidden = [...document.querySelectorAll("#story .event")].every((item) => getComputedStyle(item).display === "none");

  found.nameless = [...document.querySelectorAll("button, input, select, canvas")]
    .filter((item) => !(item.getAttribute("aria-label") || item.textContent.trim() || item.closest("label") || item.getAttribute("aria-describedby")))
    .map((item) => item.outerHTML);
  found.criteria = [...document.querySelectorAll("#criteria tbody tr")].map((row) => [row.dataset.name, row.className]);
  found.wider_than_window = document.documentElement.scrollWidth - innerWidth;
  return found;
})()
