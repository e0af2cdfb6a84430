/** Attributes of an element; absent ones are left out. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** An element with its children, or with one text. */
export interface Element {
  readonly name: string
  readonly attributes: Attributes
  readonly children: ReadonlyArray<Element> | string
}

export const element = (name: string, attributes: Attributes = {}, children: ReadonlyArray<Element> | string = []): Element => ({ name, attributes, children })

// Line breaks and tabs in attributes would become blanks when they are read again.
const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;" }

const escapeAttribute = (text: string): string => text.replaceAll(/[&<>"\n\t\r]/g, (char) => escapes[char] ?? char)
const escapeText = (text: string): string => text.replaceAll(/[&<>\r]/g, (char) => escapes[char] ?? char)

/** Whether XML 1.0 has a way to write the text at all. Half a surrogate pair and most control characters have none. */
export const isWritable = (text: string): boolean =>
  /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u.test(text)

/** The element as indented lines. */
export const print = ({ attributes, children, name }: Element, indent = ""): string => {
  const words = Object.entries(attributes).flatMap(([key, value]) => value === undefined ? [] : [` ${key}="${escapeAttribute(value)}"`]).join("")
  if (typeof children === "string") return `${indent}<${name}${words}>${escapeText(children)}</${name}>\n`
  if (children.length === 0) return `${indent}<${name}${words}/>\n`
  return `${indent}<${name}${words}>\n${children.map((child) => print(child, `${indent}  `)).join("")}${indent}</${name}>\n`
}
