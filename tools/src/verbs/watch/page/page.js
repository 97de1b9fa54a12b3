"use strict";
const at = (id) => document.getElementById(id);
const KEPT = 600;
let about = { gates: [] };
let gate = 0;
let points = [];
let last = null;
let pictures = 0;

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

function begin(found) {
  about = found;
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
    ["frames", last.frames], ["a second", last.rate === null ? "-" : last.rate.toFixed(1)],
    ["accepted", counts.accepted], ["rejected", counts.rejected], ["invalid", counts.invalid],
    ["share rejected", percent(last.shares[gate])], ["promised at most", percent(own.promised)],
    ["alarms", counts.alarms], ["drift", counts.drift ? "alarm" : "none"],
    ["dropped", last.dropped], ["lost by the driver", last.lost], ["faults", last.faults],
  ]);
  rows(at("latency"), last.latency_ms.map(([name, ...ms]) => [name, ...ms.map((v) => v.toFixed(2))]));
  if (now !== null) {
    const score = now.score === null ? "-" : now.score.toFixed(2);
    at("score").textContent =
      `${own.score} ${score} nats, threshold ${own.threshold.toFixed(2)}: ${now.decision}`;
  }
  draw(own);
  alarms();
  if (Date.now() - pictures > 500) {
    pictures = Date.now();
    at("frame").src = `frame/${gate}.png?${last.frames}`;
    at("heat").src = `heat/${gate}.png?${last.frames}`;
  }
}

function alarms() {
  const own = last.alarms.filter((alarm) => alarm.gate === gate).reverse();
  const ids = own.map((alarm) => alarm.id).join();
  if (at("alarms").dataset.ids === ids) return;
  at("alarms").dataset.ids = ids;
  at("alarms").replaceChildren(...own.map((alarm) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.src = `alarm/${alarm.id}.png`;
    image.alt = `Frame ${alarm.index}`;
    const p = alarm.p_value === null ? "" : `, p = ${alarm.p_value}`;
    item.append(image, `${alarm.time.toFixed(2)} s, frame ${alarm.index}${p}`);
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
