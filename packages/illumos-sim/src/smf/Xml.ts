/** Documents as trees: what is not well-formed XML is refused with the place where it went wrong. */
import { SaxesParser } from "saxes"

/** An element. @category models */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: ReadonlyArray<Element>
  /** Text directly inside, without what is only layout. */
  readonly text: string
  readonly line: number
}

/** A document with its type, which names the grammar. @category models */
export interface Document {
  readonly doctype: string | undefined
  readonly root: Element
}

interface Draft {
  readonly name: string
  readonly attributes: Record<string, string>
  readonly children: Array<Element>
  text: string
  readonly line: number
}

/** Reads a document; its first error instead when it has one. @category constructors */
export const parse = (text: string): Document | { readonly line: number; readonly problem: string } => {
  const parser = new SaxesParser()
  const open: Array<Draft> = []
  let doctype: string | undefined
  let root: Element | undefined
  let failure: { readonly line: number; readonly problem: string } | undefined
  parser.on("error", (error) => {
    failure ??= { line: parser.line, problem: error.message.replace(/^\S*\d+:\d+: /, "") }
  })
  parser.on("doctype", (declared) => {
    doctype = declared.trim()
  })
  parser.on("opentag", ({ attributes, name }) => {
    open.push({ name, attributes: { ...attributes }, children: [], text: "", line: parser.line })
  })
  parser.on("text", (part) => {
    const inside = open.at(-1)
    if (inside !== undefined) inside.text += part.trim() === "" ? "" : part
  })
  parser.on("closetag", () => {
    const closed = open.pop()
    if (closed === undefined) return
    const above = open.at(-1)
    if (above === undefined) root = closed
    else above.children.push(closed)
  })
  parser.write(text).close()
  return failure ?? (root === undefined ? { line: 1, problem: "Document is empty" } : { doctype, root })
}
