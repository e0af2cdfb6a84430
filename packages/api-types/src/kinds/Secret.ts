/** Secret: confidential data, base64 on the wire. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { encodeText } from "../internal/base64.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validateSecret, validateSecretUpdate } from "../validation/ConfigMapValidation.js"

// `stringData` is a convenience for writers: its entries overwrite `data` and it is never stored.
const mergeStringData = (secret: CoreV1.Secret): CoreV1.Secret => {
  const { stringData, ...rest } = secret
  if (stringData === undefined) return secret
  const data = { ...rest.data }
  for (const [key, value] of Object.entries(stringData)) data[key] = encodeText(value)
  return { ...rest, data }
}

const withType = (secret: CoreV1.Secret): CoreV1.Secret => ((secret.type ?? "") === "" ? { ...secret, type: "Opaque" } : secret)

/** @category constructors */
export const secret: Kind.Kind<CoreV1.Secret> = Kind.make<CoreV1.Secret>({
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  schema: "io.k8s.api.core.v1.Secret",
  defaults: (object) => withType(mergeStringData(object)),
  // A type that is left out of an update keeps what it was.
  prepareForUpdate: (next, old) => ((next.type ?? "") === "" && old.type !== undefined ? { ...next, type: old.type } : next),
  validateContent: validateSecret,
  validateContentUpdate: validateSecretUpdate,
  selectableFields: { type: (object) => object.type ?? "" },
  columns: [
    name,
    text("Type", "What the secret is used for, which fixes its keys."),
    text("Data", "Number of keys."),
    age
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    object.type ?? "",
    Object.keys(object.data ?? {}).length,
    ageCell(object, now)
  ]
})
