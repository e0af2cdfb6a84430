/** ServiceAccount: the identity of the processes of a pod. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"

// References to secrets are by name alone.
const nameOnly = (object: CoreV1.ServiceAccount): CoreV1.ServiceAccount =>
  object.secrets === undefined
    ? object
    : { ...object, secrets: object.secrets.map(({ name: secret }) => (secret === undefined ? {} : { name: secret })) }

/** @category constructors */
export const serviceAccount: Kind.Kind<CoreV1.ServiceAccount> = Kind.make<CoreV1.ServiceAccount>({
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.ServiceAccount",
  subresources: [{ name: "token", kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"] }],
  prepareForCreate: nameOnly,
  prepareForUpdate: nameOnly,
  columns: [name, age],
  cells: (object, now) => [object.metadata.name ?? "", ageCell(object, now)]
})
