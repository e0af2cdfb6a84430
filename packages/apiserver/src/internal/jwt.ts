/** JSON web tokens signed with RSA and SHA-256, as far as ServiceAccount tokens need them. Plain functions: every request may carry one. */
import { createHash, createPublicKey, createSign, createVerify, type KeyObject } from "node:crypto"
import { isObject, type JsonObject } from "./jsonValue.js"

/** A signing key with its public half and the name that tokens call it by. */
export interface SigningKey {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** The key with its name: the hash of its public half, as Kubernetes names keys. */
export const signingKey = (privateKey: KeyObject): SigningKey => {
  const publicKey = createPublicKey(privateKey)
  const der = publicKey.export({ type: "spki", format: "der" })
  return { id: createHash("sha256").update(der).digest("base64url"), privateKey, publicKey }
}

/** A signed token with these claims. */
export const sign = (key: SigningKey, claims: JsonObject): string => {
  const content = `${segment({ alg: "RS256", kid: key.id })}.${segment(claims)}`
  return `${content}.${createSign("RSA-SHA256").update(content).sign(key.privateKey, "base64url")}`
}

const parseSegment = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Larger tokens are not even looked at. */
export const maxLength = 16 * 1024

const form = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Whether a text has the form of a signed token, whoever signed it. */
const isToken = (text: string): boolean => text.length <= maxLength && form.test(text)

/** The claims of a token that was signed by the key; undefined for anything else. Times and names are not looked at. */
export const verify = (key: SigningKey, token: string): JsonObject | undefined => {
  if (!isToken(token)) return undefined
  const [head = "", body = "", signature = ""] = token.split(".")
  const header = parseSegment(head)
  // The algorithm is that of the key, never what a token asks for.
  if (header?.["alg"] !== "RS256" || (header["kid"] !== undefined && header["kid"] !== key.id)) return undefined
  const genuine = createVerify("RSA-SHA256").update(`${head}.${body}`).verify(key.publicKey, signature, "base64url")
  return genuine ? parseSegment(body) : undefined
}

/** The public half as a JSON web key. */
export const webKey = (key: SigningKey): JsonObject => {
  const { e, n } = key.publicKey.export({ format: "jwk" })
  return { use: "sig", kty: "RSA", kid: key.id, alg: "RS256", n, e }
}
