"use client";

import { useRouter } from "next/navigation";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { plural } from "#app/_ui/format.ts";
import type { Modality } from "#lib/modalities.ts";
import { PLOT, type Plot, xOf } from "./heat-geometry.ts";
import { countIn, formatSelection, type Rectangle, selectionOf } from "./selection.ts";
import { boundsText } from "./selection-text.ts";

interface Props {
  /** Of what it is a heatmap. */
  name: string;
  plot: Plot;
  /** Column, row and count of every cell, one after the other. */
  cells: readonly number[];
  /** What the address has selected. */
  chosen: Rectangle | null;
  modality: Modality;
  zone: string;
  /** The page's address without a selection. */
  hrefTemplate: string;
  /** The drawing that is selected on. */
  children: ReactNode;
}

/** A corner where selecting began, and the one where it is. */
interface Corners {
  from: Cell;
  to: Cell;
}

interface Cell {
  column: number;
  row: number;
}

/**
 * Selects a rectangle of a heatmap: by dragging, or with the keyboard (arrows move a cell, Shift and arrows spread it, Enter
 * selects, Escape gives up). The form below it does the same without either. What is selected goes into the address.
 */
export function HeatmapPick({ name, plot, cells, chosen, modality, zone, hrefTemplate, children }: Props) {
  const router = useRouter();
  const area = useRef<HTMLDivElement>(null);
  const [corners, setCorners] = useState<Corners | null>(null);
  const dragging = useRef(false);
  const chosenKey = chosen && JSON.stringify(chosen);
  // What the address has selected replaces what was being selected.
  useEffect(() => setCorners(null), [chosenKey]);

  const rectangle = corners ? spanOf(corners) : null;
  const choose = (wanted: Rectangle) => {
    const text = formatSelection(selectionOf(plot, wanted, modality));
    router.push(`${hrefTemplate}${hrefTemplate.includes("?") ? "&" : "?"}sel=${text}`, { scroll: false });
  };
  const cellAt = (event: PointerEvent): Cell => {
    const { left, top, width, height } = (area.current as HTMLDivElement).getBoundingClientRect();
    return cellOf(plot, (event.clientX - left) / width, (event.clientY - top) / height);
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    dragging.current = true;
    area.current?.setPointerCapture(event.pointerId);
    const cell = cellAt(event);
    setCorners({ from: cell, to: cell });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!dragging.current) return;
    const to = cellAt(event);
    setCorners((before) => before && { ...before, to });
  };
  const onPointerUp = (event: PointerEvent) => {
    if (!dragging.current || !corners) return;
    dragging.current = false;
    choose(spanOf({ ...corners, to: cellAt(event) }));
  };
  const stop = () => {
    dragging.current = false;
    setCorners(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      setCorners((before) => moved(plot, before ?? startOf(plot, chosen), step, event.shiftKey));
    } else if (event.key === "Enter" && rectangle) {
      event.preventDefault();
      choose(rectangle);
    } else if (event.key === "Escape") stop();
  };

  const shown = rectangle ?? chosen;
  return (
    <div>
      <div
        ref={area}
        // A swipe that begins upwards scrolls the page; one that begins sideways selects, wherever it goes then.
        className="relative cursor-crosshair touch-pan-y select-none"
        role="application"
        aria-label={`Select calls: ${name}. Arrow keys move, Shift and arrow keys spread, Enter selects.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is operated by keys, as its role says.
        tabIndex={0}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={stop}
        onKeyDown={onKeyDown}
        data-testid={`pick-${modality}`}
      >
        {children}
        {shown && <Frame plot={plot} rectangle={shown} />}
      </div>
      <p role="status" className={rectangle ? "absolute z-10 mt-5 bg-bg text-xs text-muted" : "sr-only"}>
        {rectangle &&
          `${plural(countIn(unpacked(cells), rectangle), "call")}: ${boundsText(selectionOf(plot, rectangle, modality), zone)}. Enter selects.`}
      </p>
    </div>
  );
}

const STEPS: Readonly<Record<string, Cell>> = {
  ArrowLeft: { column: -1, row: 0 },
  ArrowRight: { column: 1, row: 0 },
  ArrowUp: { column: 0, row: 1 },
  ArrowDown: { column: 0, row: -1 },
};

function Frame({ plot, rectangle }: { plot: Plot; rectangle: Rectangle }) {
  const { edges, rows } = plot;
  const left = xOf(plot, edges[rectangle.columns[0]] as number) / PLOT.width;
  const right = xOf(plot, edges[rectangle.columns[1] + 1] as number) / PLOT.width;
  const height = rows[1] - rows[0] + 1;
  const top = Math.max(0, (rows[1] - rectangle.rows[1]) / height);
  const bottom = Math.min(1, (rows[1] + 1 - rectangle.rows[0]) / height);
  return (
    <span
      aria-hidden="true"
      className="pointer-events-none absolute border-2 border-fg outline outline-1 outline-bg"
      style={{
        left: `${left * 100}%`,
        width: `${(right - left) * 100}%`,
        top: `${top * 100}%`,
        height: `${Math.max(0, bottom - top) * 100}%`,
      }}
    />
  );
}

/** The cell at a place given in shares of the area. */
function cellOf({ edges, rows }: Plot, x: number, y: number): Cell {
  const [start, end] = [edges[0] as number, edges.at(-1) as number];
  const at = start + x * (end - start);
  const column = Math.min(
    edges.length - 2,
    Math.max(
      0,
      edges.findLastIndex((edge) => edge <= at),
    ),
  );
  const up = Math.floor((1 - y) * (rows[1] - rows[0] + 1));
  return { column, row: Math.min(rows[1], Math.max(rows[0], rows[0] + up)) };
}

const spanOf = ({ from, to }: Corners): Rectangle => ({
  columns: [Math.min(from.column, to.column), Math.max(from.column, to.column)],
  rows: [Math.min(from.row, to.row), Math.max(from.row, to.row)],
});

/** Where the keyboard begins: at what is selected, else in the middle of the newest column. */
function startOf({ edges, rows }: Plot, chosen: Rectangle | null): Corners {
  if (chosen)
    return {
      from: { column: chosen.columns[0], row: chosen.rows[0] },
      to: { column: chosen.columns[1], row: chosen.rows[1] },
    };
  const cell = { column: edges.length - 2, row: Math.floor((rows[0] + rows[1]) / 2) };
  return { from: cell, to: cell };
}

/** Moves the rectangle, or with Shift only the corner that was last. Nothing leaves the plot. */
function moved({ edges, rows }: Plot, { from, to }: Corners, step: Cell, spread: boolean): Corners {
  const by = (cell: Cell) => ({ column: cell.column + step.column, row: cell.row + step.row });
  const isInside = ({ column, row }: Cell) =>
    column >= 0 && column <= edges.length - 2 && row >= rows[0] && row <= rows[1];
  const next = { from: spread ? from : by(from), to: by(to) };
  return isInside(next.from) && isInside(next.to) ? next : { from, to };
}

const unpacked = (cells: readonly number[]) =>
  Array.from({ length: cells.length / 3 }, (_, i) => ({
    column: cells[3 * i] as number,
    row: cells[3 * i + 1] as number,
    n: cells[3 * i + 2] as number,
  }));
