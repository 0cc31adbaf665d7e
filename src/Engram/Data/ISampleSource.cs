namespace Engram.Data;

/// <summary>What the targets of a source are.</summary>
public enum TargetKind
{
    /// <summary>One label per sample; targets are label codes, int64 <c>[batch]</c>.</summary>
    Classes,

    /// <summary>Any number of labels per sample; targets are 0 or 1, float32 <c>[batch, labels]</c>.</summary>
    MultiLabel,

    /// <summary>Real values; targets are float32 <c>[batch, outputs]</c>, the labels name the outputs.</summary>
    Regression,
}

/// <summary>Samples that can be fetched in any order; how they are stored is the source's own affair.</summary>
/// <remarks>
/// Images stay <c>uint8</c> in a source and become float in the batch, inside the model (<see cref="Models.InputScaling"/>):
/// a source never holds a float copy of a byte data set. Sources are immutable and may be shared by threads.
/// </remarks>
public interface ISampleSource
{
    /// <summary>How many samples there are.</summary>
    int Count { get; }

    /// <summary>Shape of one sample, without the batch dimension, for example <c>[1, 28, 28]</c>.</summary>
    IReadOnlyList<long> InputShape { get; }

    /// <summary>Element type of the inputs: <c>Byte</c> or <c>Float32</c>.</summary>
    ScalarType InputType { get; }

    /// <summary>What the targets are.</summary>
    TargetKind TargetKind { get; }

    /// <summary>The labels that occur here; a label code is an index into this list.</summary>
    IReadOnlyList<Label> Labels { get; }

    /// <summary>The label code of every sample; empty unless <see cref="TargetKind"/> is <c>Classes</c>.</summary>
    ReadOnlyMemory<int> Codes { get; }

    /// <summary>
    /// The task of each label, where samples of several tasks come together: a label may then occur once for every task. Null where
    /// all samples are of one task, which <see cref="Streams.Experience.TaskId"/> tells.
    /// </summary>
    IReadOnlyList<int>? LabelTasks => null;

    /// <summary>Whether all inputs are known to be finite; a learner looks through the samples of a source that does not know.</summary>
    bool IsFinite => InputType == ScalarType.Byte;

    /// <summary>Fetches samples, in the order asked for.</summary>
    /// <param name="indices">Indices from 0 to <see cref="Count"/> − 1; repeats are allowed.</param>
    /// <returns>A batch whose tensors belong to the caller's dispose scope.</returns>
    Batch Gather(ReadOnlySpan<long> indices);
}

/// <summary>Some samples, as stored.</summary>
/// <param name="Inputs"><c>[batch, ...]</c>, uint8 or float32.</param>
/// <param name="Targets">See <see cref="TargetKind"/>.</param>
public sealed record Batch(Tensor Inputs, Tensor Targets);
