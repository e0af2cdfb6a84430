/** ValidatingWebhookConfiguration: asks webhooks whether writes are allowed. Stored and shown; the server calls no webhooks. */
import { webhookDefaults } from "../defaults/WebhookDefaults.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validateWebhooks } from "../validation/WebhookValidation.js"

type Configuration = AdmissionregistrationV1.ValidatingWebhookConfiguration

/** @category constructors */
export const validatingWebhookConfiguration: Kind.Kind<Configuration> = Kind.make<Configuration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  tracksGeneration: true,
  generationContent: ({ webhooks }) => webhooks,
  allowUnconditionalUpdate: false,
  defaults: (object) => object.webhooks === undefined
    ? object
    : { ...object, webhooks: object.webhooks.map(webhookDefaults) },
  validateContent: ({ webhooks = [] }) => validateWebhooks(webhooks),
  validateContentUpdate: ({ webhooks = [] }) => validateWebhooks(webhooks),
  columns: [name, { name: "Webhooks", type: "integer", description: "How many webhooks there are.", priority: 0 }, age],
  cells: (object, now) => [object.metadata.name ?? "", (object.webhooks ?? []).length, ageCell(object, now)]
})
