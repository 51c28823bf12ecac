/** The part of tfjs-node's generated protocol buffers that programs are written with; the package ships no types for it. */
declare module '@tensorflow/tfjs-node/dist/proto/api_pb' {
  interface MessageMap<Value> {
    set(key: string, value: Value): this;
  }
  class TensorShape {
    addDim(dim: TensorShape.Dim): void;
  }
  namespace TensorShape {
    class Dim {
      setSize(size: number): void;
    }
  }
  class Tensor {
    setDtype(dtype: number): void;
    setTensorShape(shape: TensorShape): void;
    setTensorContent(bytes: Uint8Array): void;
  }
  class NameAttrList {
    setName(name: string): void;
  }
  class AttrValue {
    setS(value: Uint8Array): void;
    setI(value: number): void;
    setF(value: number): void;
    setB(value: boolean): void;
    setType(value: number): void;
    setShape(value: TensorShape): void;
    setTensor(value: Tensor): void;
    setFunc(value: NameAttrList): void;
    setList(value: AttrValue.ListValue): void;
  }
  namespace AttrValue {
    class ListValue {
      setIList(values: readonly number[]): void;
      setTypeList(values: readonly number[]): void;
    }
  }
  class NodeDef {
    setName(name: string): void;
    setOp(op: string): void;
    getName(): string;
    setInputList(inputs: readonly string[]): void;
    addInput(input: string): void;
    getAttrMap(): MessageMap<AttrValue>;
  }
  class OpDef {
    setName(name: string): void;
    setInputArgList(args: readonly OpDef.ArgDef[]): void;
    setOutputArgList(args: readonly OpDef.ArgDef[]): void;
    setIsStateful(value: boolean): void;
  }
  namespace OpDef {
    class ArgDef {
      setName(name: string): void;
      setType(type: number): void;
    }
  }
  class FunctionDef {
    setSignature(signature: OpDef): void;
    setNodeDefList(nodes: readonly NodeDef[]): void;
    getRetMap(): MessageMap<string>;
    getAttrMap(): MessageMap<AttrValue>;
  }
  class FunctionDefLibrary {
    setFunctionList(functions: readonly FunctionDef[]): void;
  }
  class VersionDef {
    setProducer(version: number): void;
  }
  class GraphDef {
    setNodeList(nodes: readonly NodeDef[]): void;
    setLibrary(library: FunctionDefLibrary): void;
    setVersions(versions: VersionDef): void;
  }
  class TensorInfo {
    setName(name: string): void;
  }
  class SignatureDef {
    getOutputsMap(): MessageMap<TensorInfo>;
  }
  class MetaGraphDef {
    setMetaInfoDef(info: MetaGraphDef.MetaInfoDef): void;
    setGraphDef(graph: GraphDef): void;
    getSignatureDefMap(): MessageMap<SignatureDef>;
  }
  namespace MetaGraphDef {
    class MetaInfoDef {
      setTagsList(tags: readonly string[]): void;
    }
  }
  class SavedModel {
    setSavedModelSchemaVersion(version: number): void;
    setMetaGraphsList(graphs: readonly MetaGraphDef[]): void;
    serializeBinary(): Uint8Array;
  }
}
