namespace Engram.Learning;

/// <summary>The weights with the lowest validation loss of the present experience, kept for <see cref="EarlyStopping"/>.</summary>
internal sealed class BestWeights(Learner learner, EarlyStopping options) : IDisposable
{
    private const int BatchSize = 500;

    private readonly Dictionary<string, Tensor> _kept = [];

    /// <summary>The kept tensors by their names in the model; none before the first epoch's end, nor once they are back.</summary>
    public IReadOnlyDictionary<string, Tensor> Kept => _kept;

    /// <summary>Measures the validation loss after an epoch and keeps the weights if it is the lowest.</summary>
    /// <param name="cursor">Has the lowest loss so far, and for how long it has been.</param>
    /// <returns>The cursor brought up to date.</returns>
    public LearningCursor AfterEpoch(LearningCursor cursor)
    {
        var loss = ValidationLoss();
        if (!(loss < (cursor.LowestLoss ?? double.PositiveInfinity) - options.MinimumGain))
            return cursor with { EpochsSinceLowest = cursor.EpochsSinceLowest + 1 };
        Keep(learner.Context.Model.NamedTensors());
        return cursor with { LowestLoss = loss, EpochsSinceLowest = 0 };
    }

    /// <summary>Whether the experience should end.</summary>
    public bool IsOver(LearningCursor cursor) => cursor.EpochsSinceLowest >= options.Patience;

    /// <summary>
    /// Puts the kept weights and buffers back into the model and lets them go: what mechanisms make of them from here on stays, also
    /// where one fails to end the experience and it is ended again.
    /// </summary>
    public void GoBack()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in learner.Context.Model.NamedTensors())
            if (_kept.TryGetValue(name, out var best)) tensor.copy_(best);
        Dispose();
    }

    /// <summary>Keeps copies of these tensors in place of those before.</summary>
    public void Keep(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var _ = no_grad();
        Dispose();
        foreach (var (name, tensor) in tensors) _kept[name] = tensor.clone().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in _kept.Values) tensor.Dispose();
        _kept.Clear();
    }

    private double ValidationLoss()
    {
        var context = learner.Context;
        var (source, task) = (context.Experience.Validation!, context.Experience.TaskId);
        using var _ = no_grad();
        using var whole = NewDisposeScope();
        var ids = context.Targets.IdsOfCodes(source);
        var sum = zeros(1, ScalarType.Float64);
        context.Model.eval();
        for (var start = 0; start < source.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var indices = Enumerable.Range(start, Math.Min(BatchSize, source.Count - start)).Select(i => (long)i).ToArray();
            var part = context.Targets.Prepare(source.Gather(indices), ids);
            var logits = learner.Forward(part.Raw, task).Logits;
            sum.add_(context.Targets.LossPerSample(logits, part.Targets, part.Tasks).sum(ScalarType.Float64), alpha: Held(1));
        }
        context.Model.TrainMode(context.Completed);
        return sum.item<double>() / source.Count;
    }
}
