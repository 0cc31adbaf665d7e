namespace Engram.Analytic;

/// <summary>A learner that knows how far a sample is from every class, and so whether it is far from all.</summary>
public interface IClassDistances
{
    /// <summary>Squared distances to the classes, in the learner's metric.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 <c>[batch, classes]</c>; infinity for a class without samples.</returns>
    Tensor Distances(Tensor inputs);
}
