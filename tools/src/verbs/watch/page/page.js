"use strict";
const at = (id) => document.getElementById(id);
const KEPT = 600;
let about = { gates: [] };
let gate = 0;
let points = [];
let last = null;
let pictures = 0;
let awaited = 0;

// What depends on whether the model sees frames of a camera or windows of a sensor.
const KINDS = {
  frame: {
    picture: "png", odd: true, seen: "The last frame, reduced to the model's input",
    since: "Milliseconds from a frame's last byte",
    counts: (event) => [["dropped", event.dropped], ["lost by the driver", event.lost]],
  },
  window: {
    picture: "svg", odd: false, seen: "The samples of the last window, channel by channel",
    since: "Milliseconds from a window's last sample", counts: () => [],
  },
};
let kind = KINDS.frame;

const capital = (word) => word[0].toUpperCase() + word.slice(1);

function cell(row, text, kind) {
  const made = document.createElement(kind || "td");
  made.textContent = text;
  row.append(made);
}

function rows(body, all) {
  body.replaceChildren(...all.map((texts) => {
    const row = document.createElement("tr");
    texts.forEach((text, place) => cell(row, text, place === 0 ? "th" : "td"));
    return row;
  }));
}

const percent = (share) => (share === null ? "-" : (100 * share).toFixed(2) + " %");

function choose(place) {
  gate = place;
  [...at("gates").children].forEach((b, i) => b.setAttribute("aria-pressed", String(i === gate)));
  const own = about.gates[gate];
  rows(at("provenance"), [
    ["name", own.name], ["version", own.version], ["made by", own.tool], ["commit", own.commit],
    ["data", own.data], ...own.history.map((line) => ["history", line]),
  ]);
  pictures = 0;
  show();
}

function word() {
  kind = KINDS[about.unit];
  document.body.className = about.unit;
  at("seen").textContent = `The ${about.unit} as the model sees it`;
  at("input").alt = kind.seen;
  at("odd").hidden = !kind.odd;
  at("counted").textContent = `${capital(about.unit)}s`;
  at("since").textContent = kind.since;
}

function begin(found) {
  about = found;
  word();
  at("source").textContent = `${about.source}, since ${about.started}`;
  if (about.gates.length > 1) {
    at("gates").replaceChildren(...about.gates.map((own, place) => {
      const button = document.createElement("button");
      button.textContent = own.name;
      button.addEventListener("click", () => choose(place));
      return button;
    }));
  }
  choose(0);
  const events = new EventSource("events");
  events.onmessage = (event) => take(JSON.parse(event.data));
  events.onerror = () => state("no connection", "");
}

function take(event) {
  if (points.length > 0 && event.points.length > 0 && event.points[0].index < points[0].index) {
    points = [];
  }
  const known = points.length > 0 ? points[points.length - 1].index : -1;
  points = points.concat(event.points.filter((p) => p.index > known)).slice(-KEPT);
  last = event;
  show();
}

function state(text, kind) {
  if (at("state").textContent !== text) at("state").textContent = text;
  at("state").className = kind;
}

function show() {
  if (last === null) return;
  const counts = last.gates[gate];
  const own = about.gates[gate];
  const now = points.length > 0 ? points[points.length - 1].gates[gate] : null;
  if (counts.alarm) state("alarm", "bad");
  else if (counts.drift) state("drift", "bad");
  else state("no alarm", "good");
  rows(at("counts"), [
    [`${about.unit}s`, last[`${about.unit}s`]], ["a second", last.rate === null ? "-" : last.rate.toFixed(1)],
    ["accepted", counts.accepted], ["rejected", counts.rejected], ["invalid", counts.invalid],
    ["share rejected", percent(last.shares[gate])], ["promised at most", percent(own.promised)],
    ["alarms", counts.alarms], ["drift", counts.drift ? "alarm" : "none"],
    ...kind.counts(last), ["faults", last.faults],
  ]);
  rows(at("latency"), last.latency_ms.map(([name, ...ms]) => [name, ...ms.map((v) => v.toFixed(2))]));
  if (now !== null) {
    const score = now.score === null ? "-" : now.score.toFixed(2);
    const fault = now.fault === null ? "" : `, ${now.fault}`;
    at("score").textContent =
      `${own.score} ${score} nats, threshold ${own.threshold.toFixed(2)}: ${now.decision}${fault}`;
  }
  draw(own);
  alarms();
  clearTimeout(awaited);
  awaited = setTimeout(picture, Math.max(0, pictures + 500 - Date.now()));
}

function picture() {
  pictures = Date.now();
  at("input").src = `${about.unit}/${gate}.${kind.picture}?${pictures}`;
  if (kind.odd) at("heat").src = `heat/${gate}.${kind.picture}?${pictures}`;
}

function alarms() {
  const own = last.alarms.filter((alarm) => alarm.gate === gate).reverse();
  const ids = own.map((alarm) => alarm.id).join();
  if (at("alarms").dataset.ids === ids) return;
  at("alarms").dataset.ids = ids;
  at("alarms").replaceChildren(...own.map((alarm) => {
    const item = document.createElement("li");
    if (alarm.seen) {
      const image = document.createElement("img");
      image.src = `alarm/${alarm.id}.${kind.picture}`;
      image.alt = `${capital(about.unit)} ${alarm.index}`;
      item.append(image);
    }
    const p = alarm.p_value === null ? "" : `, p = ${alarm.p_value}`;
    const fault = alarm.fault === null ? "" : `, ${alarm.fault}`;
    item.append(`${alarm.time.toFixed(2)} s, ${about.unit} ${alarm.index}${p}${fault}`);
    return item;
  }));
}

function draw(own) {
  const canvas = at("chart");
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  pen.clearRect(0, 0, width, height);
  const scores = points.map((point) => point.gates[gate].score);
  const all = scores.filter((score) => score !== null).concat(own.threshold);
  const low = Math.min(...all);
  const span = Math.max(...all) - low || 1;
  const y = (score) => height - 12 - ((score - low) / span) * (height - 24);
  const x = (place) => ((place + 0.5) / KEPT) * width;
  pen.strokeStyle = "#c62828";
  pen.setLineDash([6, 4]);
  pen.beginPath();
  pen.moveTo(0, y(own.threshold));
  pen.lineTo(width, y(own.threshold));
  pen.stroke();
  pen.setLineDash([]);
  points.forEach((point, place) => {
    const { score, decision, alarm } = point.gates[gate];
    if (alarm) {
      pen.fillStyle = "#c6282830";
      pen.fillRect(x(place) - 1, 0, width / KEPT + 1, height);
    }
    pen.fillStyle = decision === "accept" ? "#2a7de1" : "#c62828";
    pen.fillRect(x(place) - 1, (score === null ? height - 4 : y(score)) - 2, 3, 4);
  });
}

state("connecting", "");
fetch("about").then((found) => found.json()).then(begin, () => state("no connection", ""));
