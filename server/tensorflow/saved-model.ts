import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as proto from '@tensorflow/tfjs-node/dist/proto/api_pb';
import type { NativeBinding } from './native-backend';

// The GraphDef version that TensorFlow 2.9 and later write and read.
const GRAPH_PRODUCER = 1087;

/** Loads nodes and functions as one session of their own and returns its number. Reads nothing back from the disk later. */
export function loadGraph(
  binding: NativeBinding,
  nodes: readonly proto.NodeDef[],
  functions: readonly proto.FunctionDef[],
  initial: string,
): number {
  const library = new proto.FunctionDefLibrary();
  library.setFunctionList(functions);
  const versions = new proto.VersionDef();
  versions.setProducer(GRAPH_PRODUCER);
  const graph = new proto.GraphDef();
  graph.setNodeList(nodes);
  graph.setLibrary(library);
  graph.setVersions(versions);
  const info = new proto.MetaGraphDef.MetaInfoDef();
  info.setTagsList(['serve']);
  const meta = new proto.MetaGraphDef();
  meta.setMetaInfoDef(info);
  meta.setGraphDef(graph);
  // Loading runs the operation that this signature names; without one TensorFlow looks for a main op and fails.
  const signature = new proto.SignatureDef();
  const tensor = new proto.TensorInfo();
  tensor.setName(initial);
  signature.getOutputsMap().set('__saved_model_init_op', tensor);
  meta.getSignatureDefMap().set('__saved_model_init_op', signature);
  const model = new proto.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.setMetaGraphsList([meta]);

  const folder = mkdtempSync(join(tmpdir(), 'mine-program-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), model.serializeBinary());
    return binding.loadSavedModel(folder, 'serve');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
