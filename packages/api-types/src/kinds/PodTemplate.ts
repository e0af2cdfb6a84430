/** PodTemplate: a template on its own. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { containerCells, labelsCell } from "../printing/WorkloadCells.js"
import { validatePodTemplate } from "../validation/PodTemplateValidation.js"

/** @category constructors */
export const podTemplate: Kind.Kind<CoreV1.PodTemplate> = Kind.make<CoreV1.PodTemplate>({
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  namespaced: true,
  schema: "io.k8s.api.core.v1.PodTemplate",
  defaults: (object) => (object.template === undefined ? object : { ...object, template: podTemplateDefaults(object.template) }),
  tracksGeneration: true,
  // The template is what others have as their spec.
  generationContent: ({ template }) => template,
  validateContent: (object) => validatePodTemplate("template", object.template ?? {}),
  validateContentUpdate: (next) => validatePodTemplate("template", next.template ?? {}),
  columns: [
    name,
    text("Containers", "Names of the containers in the template."),
    text("Images", "Images of the containers in the template."),
    text("Pod Labels", "Labels of the pods made of the template.")
  ],
  cells: (object) => [object.metadata.name ?? "", ...containerCells(object.template), labelsCell(object.template?.metadata?.labels)]
})
