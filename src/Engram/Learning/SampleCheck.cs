using Engram.Data;

namespace Engram.Learning;

/// <summary>Looks at samples before anything is learnt from them.</summary>
internal static class SampleCheck
{
    private const int Chunk = 1024;

    /// <summary>Throws where a source does not hold what it says, or holds NaN or infinite numbers.</summary>
    /// <param name="what">Which source, for the message.</param>
    /// <param name="source">The source; one that knows its inputs to be finite is asked for one sample only.</param>
    public static void Throw(string what, ISampleSource source)
    {
        if (source.Count == 0) throw new ArgumentException($"{what}: no sample, expected at least one");
        if (source.InputType is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"{what}: inputs of type {source.InputType}, expected Byte or Float32");
        CheckLabels(what, source);
        var end = source.IsFinite ? 1 : source.Count;
        for (var start = 0; start < end; start += Chunk)
        {
            using var scope = NewDisposeScope();
            var indices = Enumerable.Range(start, Math.Min(Chunk, end - start)).Select(index => (long)index).ToArray();
            var (inputs, targets) = source.Gather(indices);
            if (inputs.dtype != source.InputType || inputs.size(0) != indices.Length
                || !inputs.shape[1..].SequenceEqual(source.InputShape))
                throw new ArgumentException(
                    $"{what}: samples {inputs.dtype} [{string.Join(", ", inputs.shape)}], "
                    + $"expected {source.InputType} [{indices.Length}, {string.Join(", ", source.InputShape)}]");
            if (inputs.dtype == ScalarType.Float32 && !inputs.isfinite().all().item<bool>())
                throw new ArgumentException(
                    $"{what}: NaN or infinite values in samples {start} to {start + indices.Length - 1}, expected finite numbers");
            CheckTargets(what, source, targets, indices.Length);
        }
    }

    private static void CheckLabels(string what, ISampleSource source)
    {
        var labels = source.Labels.Count;
        if (source.LabelTasks is { } tasks && tasks.Count != labels)
            throw new ArgumentException($"{what}: {tasks.Count} label tasks, expected one for each of {labels} labels");
        if (source.TargetKind != TargetKind.Classes) return;
        if (source.Codes.Length != source.Count)
            throw new ArgumentException($"{what}: {source.Codes.Length} label codes, expected one for each of {source.Count} samples");
        foreach (var code in source.Codes.Span)
            if ((uint)code >= (uint)labels)
                throw new ArgumentException($"{what}: label code {code}, expected 0 to {labels - 1}");
    }

    private static void CheckTargets(string what, ISampleSource source, Tensor targets, int count)
    {
        var (type, shape) = source.TargetKind == TargetKind.Classes
            ? (ScalarType.Int64, (long[])[count])
            : (ScalarType.Float32, (long[])[count, source.Labels.Count]);
        if (targets.dtype != type || !targets.shape.SequenceEqual(shape))
            throw new ArgumentException(
                $"{what}: targets {targets.dtype} [{string.Join(", ", targets.shape)}], expected {type} [{string.Join(", ", shape)}]");
        if (type == ScalarType.Float32 && targets.isinf().any().item<bool>())
            throw new ArgumentException($"{what}: infinite targets, expected finite numbers, or NaN where unknown");
    }
}
