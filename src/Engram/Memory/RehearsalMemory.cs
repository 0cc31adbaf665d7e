using Engram.Data;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>A buffer with a rule for what enters and a rule for what is repeated; shared by the mechanisms of the replay family.</summary>
internal sealed class RehearsalMemory : IDisposable
{
    private readonly ReplayOptions _options;
    private readonly string _name;
    private readonly GradientSampleSelection? _gradients;

    public RehearsalMemory(ReplayOptions options, LearningContext context, string name)
    {
        (_options, _name) = (options, name);
        Buffer = new ReplayBuffer(options.Capacity, options.Balance, new SeededRandom(context.Options.Seed, name), options.PerGroup);
        if (options.Selection == Selection.GradientBased)
            _gradients = new GradientSampleSelection(
                Buffer, options.CompareWith, new SeededRandom(context.Options.Seed, $"{name}/gss"));
    }

    public ReplayBuffer Buffer { get; }

    public long Bytes => Buffer.Bytes + (_gradients?.Bytes ?? 0);

    /// <summary>Adds a part of repeated samples to the step.</summary>
    public BatchPart? Repeat(TrainingStep step)
    {
        if (Buffer.Count == 0) return null;
        var count = _options.BatchSize ?? step.Current.Count;
        var part = _options.Retrieval == Retrieval.MaximallyInterfered
            ? MostInterfered(step, count)
            : Buffer.Read(step.Context, Buffer.Draw(
                count, _options.Retrieval == Retrieval.Balanced ? BalanceBy.Class : BalanceBy.Sample));
        step.Parts.Add(part);
        if (_options.Weighting == ReplayWeighting.ByExperience)
            (step.Current.Weight, part.Weight) = (1.0 / (step.Context.Completed + 1), 1 - (1.0 / (step.Context.Completed + 1)));
        return part;
    }

    public void AfterStep(TrainingStep step)
    {
        var firstPass = step.Number * step.Context.Options.BatchSize < step.Context.Source.Count;
        if (!firstPass) return;
        if (_gradients is not null) _gradients.Offer(step.Context, step.Current);
        else if (_options.Online) Buffer.Offer(step.Current, step.Context.Experience.Index);
    }

    public void EndExperience(LearningContext context)
    {
        if (_options.Online || _gradients is not null) return;
        switch (_options.Selection)
        {
            case Selection.Herding:
                ExemplarQuota.Fill(context, Buffer, ExemplarSelection.Herding);
                return;
            case Selection.ClosestToMean:
                ExemplarQuota.Fill(context, Buffer, ExemplarSelection.ClosestToMean);
                return;
            default:
                var random = new SeededRandom(context.Options.Seed, $"{_name}/{context.Experience.Index}");
                Buffer.OfferAll(context, random.Permutation(context.Source.Count));
                return;
        }
    }

    public void Save(MechanismState state)
    {
        Buffer.Save(state);
        _gradients?.Save(state);
    }

    public void Load(MechanismState state)
    {
        Buffer.Load(state);
        _gradients?.Load(state);
    }

    public void Dispose() => Buffer.Dispose();

    private BatchPart MostInterfered(TrainingStep step, int count)
    {
        var slots = Buffer.Draw(Math.Max(count, _options.Candidates ?? 3 * count));
        if (slots.Length <= count) return Buffer.Read(step.Context, slots);
        using var scope = NewDisposeScope();
        var rate = _options.VirtualRate ?? step.Context.Options.Optimizer.LearningRate;
        var all = Buffer.Read(step.Context, slots);
        var chosen = MaximallyInterfered.Choose(step, all, count, rate).data<long>().ToArray();
        var part = Buffer.Read(step.Context, Array.ConvertAll(chosen, row => slots[row]));
        foreach (var tensor in new[] { part.Raw, part.Inputs, part.Targets, part.Tasks }) tensor?.MoveToOuterDisposeScope();
        return part;
    }
}
