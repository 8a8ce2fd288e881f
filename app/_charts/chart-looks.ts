const TICK = { fill: "var(--fg-muted)", fontSize: 12 };

/** What all charts have in common: spread into Recharts' XAxis, YAxis and Tooltip. */
export const CHART_LOOKS = {
  timeAxis: { tick: TICK, tickLine: false, axisLine: { stroke: "var(--rule)" }, height: 22 },
  valueAxis: { tick: TICK, tickLine: false, axisLine: false },
  // May be higher than the chart, never wider than the page.
  tooltip: { isAnimationActive: false, allowEscapeViewBox: { x: false, y: true }, wrapperStyle: { zIndex: 10 } },
} as const;
