// A table for people: columns as wide as necessary, numbers to the right.

export function table(heads, rows) {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => cells.map((cell, i) => cell.padStart(widths[i])).join('  ');
  return [line(heads), ...rows.map(line)].map((text) => `  ${text}`).join('\n');
}
