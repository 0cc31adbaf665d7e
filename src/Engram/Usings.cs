global using TorchSharp;
global using static Engram.HeldScalar;
global using static TorchSharp.torch;
