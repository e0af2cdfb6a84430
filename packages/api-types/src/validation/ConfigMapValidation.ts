/** Rules of ConfigMap and Secret: keys, size and immutability of their data. */
import type * as FieldError from "../FieldError.js"
import { forbidden, invalid, invalidEach, required, tooLong } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { base64Length } from "../internal/base64.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateImmutable } from "./MetadataValidation.js"

type Errors = ReadonlyArray<FieldError.FieldError>
type Texts = Readonly<Record<string, string>>

/** Bytes that the values of one ConfigMap or Secret may have together. @category models */
export const maximumBytes = 1_048_576

const isTooLarge = (texts: Texts, bytes: Texts): boolean => {
  let total = 0
  for (const value of Object.values(texts)) total += Names.byteLength(value)
  for (const value of Object.values(bytes)) total += base64Length(value)
  return total > maximumBytes
}

/** @category combinators */
export const validateConfigMap = ({ data = {}, binaryData = {} }: CoreV1.ConfigMap): Errors => {
  const errors: Array<FieldError.FieldError> = []
  for (const key of Object.keys(data)) {
    errors.push(...invalidEach(`data[${key}]`, key, Names.isConfigMapKey(key)))
    if (Object.hasOwn(binaryData, key)) errors.push(invalid(`data[${key}]`, key, "duplicate of key present in binaryData"))
  }
  for (const key of Object.keys(binaryData)) errors.push(...invalidEach(`binaryData[${key}]`, key, Names.isConfigMapKey(key)))
  // The path of a whole object is written as an empty list.
  if (isTooLarge(data, binaryData)) errors.push(tooLong("[]", maximumBytes))
  return errors
}

const whenImmutable = "field is immutable when `immutable` is set"

/** @category combinators */
export const validateConfigMapUpdate = (next: CoreV1.ConfigMap, old: CoreV1.ConfigMap): Errors => {
  const errors: Array<FieldError.FieldError> = []
  if (old.immutable === true) {
    if (next.immutable !== true) errors.push(forbidden("immutable", whenImmutable))
    if (!semanticEqual(next.data, old.data)) errors.push(forbidden("data", whenImmutable))
    if (!semanticEqual(next.binaryData, old.binaryData)) errors.push(forbidden("binaryData", whenImmutable))
  }
  return [...errors, ...validateConfigMap(next)]
}

const parsesAsObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const requiredKeys: Readonly<Record<string, ReadonlyArray<string>>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"]
}

/** @category combinators */
export const validateSecret = (secret: CoreV1.Secret): Errors => {
  const { data = {}, metadata, type = "" } = secret
  const errors: Array<FieldError.FieldError> = []
  for (const key of Object.keys(data)) errors.push(...invalidEach(`data[${key}]`, key, Names.isConfigMapKey(key)))
  if (isTooLarge({}, data)) errors.push(tooLong("data", maximumBytes))
  if (type === "kubernetes.io/service-account-token" && (metadata.annotations?.["kubernetes.io/service-account.name"] ?? "") === "") {
    errors.push(required("metadata.annotations[kubernetes.io/service-account.name]"))
  }
  if (type === "kubernetes.io/basic-auth" && !Object.hasOwn(data, "username") && !Object.hasOwn(data, "password")) {
    errors.push(required("data[username]"), required("data[password]"))
  }
  for (const key of requiredKeys[type] ?? []) {
    const value = data[key]
    if (value === undefined || (value === "" && key === "ssh-privatekey")) errors.push(required(`data[${key}]`))
    else if (type.startsWith("kubernetes.io/dockerc") && !parsesAsObject(atob(value))) {
      errors.push(invalid(`data[${key}]`, "<secret contents redacted>", "the value is not a JSON object"))
    }
  }
  return errors
}

/** @category combinators */
export const validateSecretUpdate = (next: CoreV1.Secret, old: CoreV1.Secret): Errors => {
  const errors: Array<FieldError.FieldError> = [...validateImmutable("type", next.type ?? "", old.type ?? "")]
  if (old.immutable === true) {
    if (next.immutable !== true) errors.push(forbidden("immutable", whenImmutable))
    if (!semanticEqual(next.data, old.data)) errors.push(forbidden("data", whenImmutable))
  }
  return [...errors, ...validateSecret(next)]
}
