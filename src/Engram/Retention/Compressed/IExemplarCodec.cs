namespace Engram.Retention;

/// <summary>Samples as a few bytes each.</summary>
internal interface IExemplarCodec : IDisposable
{
    /// <summary>Codes, uint8 <c>[n, bytes]</c>, of inputs float32 <c>[n, numbers]</c>.</summary>
    Tensor Encode(Tensor inputs);

    /// <summary>Inputs, float32 <c>[n, numbers]</c>, of codes.</summary>
    Tensor Decode(Tensor codes);
}
