/** X.509 trust anchors as PEM texts: what a bundle may hold, and how bundles are joined. Pure. */
import { X509Certificate } from "node:crypto"

/** Most bytes of a bundle. @category constants */
export const maximumBytes = 1024 * 1024

/** One block of a PEM text. @category models */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly type: string
  readonly hasHeaders: boolean
  readonly bytes: Uint8Array
}

const block = /-----BEGIN ([^\n\r]*?)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g
const headers = /^(?:[^\n:]+:[^\n]*\r?\n)+\r?\n/
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** The blocks of a text in their order. What stands between them, and what is no block, is passed over. @category combinators */
export const blocks = (text: string): ReadonlyArray<PemBlock> =>
  [...text.matchAll(block)].flatMap(([, type = "", content = ""]): ReadonlyArray<PemBlock> => {
    const head = headers.exec(content)?.[0] ?? ""
    const body = content.slice(head.length).replaceAll(/\s+/g, "")
    return base64.test(body) ? [{ type, hasHeaders: head !== "", bytes: new Uint8Array(Buffer.from(body, "base64")) }] : []
  })

const problemOf = ({ bytes, hasHeaders, type }: PemBlock): string | undefined => {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`
  if (hasHeaders) return "has PEM block headers"
  try {
    return new X509Certificate(bytes).ca ? undefined : "does not have the CA bit set"
  } catch {
    return "does not parse as X.509"
  }
}

const keyOf = ({ bytes }: PemBlock): string => Buffer.from(bytes).toString("base64")

/**
 * What keeps a text from being a bundle of trust anchors, in the words of Kubernetes; empty when nothing does. A bundle holds certificates of
 * authorities only, at least one, and none of them twice. Its size is for the caller to check.
 *
 * @category combinators
 */
export const problems = (text: string): ReadonlyArray<string> => {
  const found = blocks(text)
  const bad = found.flatMap((each, index) => {
    const problem = problemOf(each)
    return problem === undefined ? [] : [`entry ${index} ${problem}`]
  })
  if (bad.length > 0) return bad
  if (found.length === 0) return ["at least one trust anchor must be provided"]
  const indices = new Map<string, Array<number>>()
  for (const [index, each] of found.entries()) indices.set(keyOf(each), [...indices.get(keyOf(each)) ?? [], index])
  return [...indices.values()].flatMap((same) => same.length < 2 ? [] : [`duplicate trust anchor (indices [${same.join(" ")}])`])
}

/**
 * One text of the certificates of all bundles: each of them once, in an order that depends on them alone, without anything else.
 *
 * @category combinators
 */
export const join = (bundles: ReadonlyArray<string>): string => {
  const keys = new Set(bundles.flatMap(blocks).filter(({ type }) => type === "CERTIFICATE").map(keyOf))
  return [...keys].toSorted().map((key) => `-----BEGIN CERTIFICATE-----\n${key.match(/.{1,64}/g)?.join("\n") ?? ""}\n-----END CERTIFICATE-----\n`).join("")
}
