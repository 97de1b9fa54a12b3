
"use strict";
for (const slider of document.querySelectorAll(".slider")) {
  const { low, high, left, right, sets } = JSON.parse(slider.dataset.shares);
  const figure = slider.closest("figure");
  const line = figure.querySelector(".threshold");
  const label = figure.querySelector(".threshold-label");
  const [nats, ...shares] = slider.querySelectorAll("output");
  const input = slider.querySelector("input");
  input.hidden = false;
  input.addEventListener("input", () => {
    const step = Number(input.value);
    const share = step / (sets[0].length - 1);
    const x = left + share * (right - left);
    nats.value = (low + share * (high - low)).toFixed(1);
    shares.forEach((output, set) => { output.value = `${(100 * sets[set][step]).toFixed(2)} %`; });
    for (const end of ["x1", "x2"]) line?.setAttribute(end, x);
    label?.setAttribute("x", x + (label.getAttribute("text-anchor") === "start" ? 5 : -5));
  });
}
