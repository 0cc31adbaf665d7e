using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;

namespace Engram.Persistence;

/// <summary>A model for prediction only, rebuilt from a bundle without the code that trained it. In evaluation mode.</summary>
/// <param name="Model">The model.</param>
/// <param name="Classes">Its labels by id.</param>
/// <param name="InputShape">Shape of one sample; null if the bundle had learnt nothing.</param>
/// <param name="TargetKind">What its outputs are.</param>
/// <param name="Manifest">What the bundle says of itself.</param>
public sealed record LoadedModel(
    ContinualModel Model, ClassRegistry Classes, IReadOnlyList<long>? InputShape, TargetKind TargetKind,
    BundleManifest Manifest) : IDisposable
{
    /// <summary>
    /// Whether a task must be named at prediction, as in <see cref="Scenario.TaskIncremental"/>. Outputs that are no classes do not
    /// compete, so none is put out of the running and no task is needed.
    /// </summary>
    public bool NeedsTask => TargetKind == TargetKind.Classes && Classes.Classes.Any(key => key.Task is not null);

    /// <summary>Logits of samples as stored, <c>[batch, classes]</c>, no task masked out.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32 as was learnt.</param>
    /// <exception cref="ArgumentException">Another shape or type than the model learnt.</exception>
    public Tensor Scores(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (InputShape is { } shape && !inputs.shape[1..].SequenceEqual(shape))
            throw new ArgumentException(
                $"inputs: [{string.Join(", ", inputs.shape)}], expected [batch, {string.Join(", ", shape)}]", nameof(inputs));
        if (Manifest.Learner.InputType is { } type && inputs.dtype != type)
            throw new ArgumentException($"inputs: {inputs.dtype}, expected {type} as was learnt", nameof(inputs));
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return Model.forward(Model.Scaling.Apply(inputs)).MoveToOuterDisposeScope();
    }

    /// <summary>Predicts labels of samples as stored.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <param name="taskId">The task, where <see cref="NeedsTask"/>; labels of other tasks are out of the running.</param>
    /// <exception cref="ArgumentException">Another shape or type than the model learnt, a task that is needed or unknown.</exception>
    public Prediction Predict(Tensor inputs, int? taskId = null)
    {
        using var scope = NewDisposeScope();
        var scores = Scores(inputs);
        if (NeedsTask)
        {
            var rows = taskId is { } task ? Classes.IdsOfTask(task) : [];
            if (rows.Length == 0)
                throw new ArgumentException(
                    $"taskId: {taskId?.ToString() ?? "none"}, expected a task that was learnt", nameof(taskId));
            var own = tensor(rows.Select(id => (long)id).ToArray());
            scores = full_like(scores, Held(float.NegativeInfinity)).index_copy_(1, own, scores.index_select(1, own));
        }
        return new Prediction(scores.MoveToOuterDisposeScope(), Classes, TargetKind);
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
