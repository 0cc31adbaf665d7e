using Engram.Data;
using Engram.Streams;

namespace Engram.Evaluation.Tuning;

/// <summary>
/// What a search may see: training samples, some of them set aside to validate with. It is made of experiences, which carry no
/// test samples; nothing in this namespace takes an <see cref="EvaluationSet"/> or a stream that has them.
/// </summary>
public sealed class TuningData
{
    private readonly Experience[] _experiences;
    private readonly long _seed;
    private readonly int? _online;

    /// <summary>Sets validation samples aside.</summary>
    /// <param name="experiences">The training side of a stream. Those with validation samples of their own keep them.</param>
    /// <param name="validation">Share to set aside, class by class, above 0 and below 1.</param>
    /// <param name="seed">Decides which samples, whatever is tried on them.</param>
    /// <param name="online">Cuts experiences into pieces of so many samples that pass once, after the split; null for none.</param>
    /// <exception cref="ArgumentException">No experience, a share out of range, or too few samples to set any aside.</exception>
    public TuningData(IReadOnlyList<Experience> experiences, double validation, long seed, int? online = null)
    {
        ArgumentNullException.ThrowIfNull(experiences);
        if (experiences.Count == 0) throw new ArgumentException("experiences: none, expected one or more", nameof(experiences));
        if (validation is not (> 0 and < 1))
            throw new ArgumentException($"validation: {validation}, expected above 0 and below 1", nameof(validation));
        (_seed, _online) = (seed, online);
        _experiences = [.. experiences.Select(experience => Split(experience, validation))];
    }

    /// <summary>How many experiences there are.</summary>
    public int Count => _experiences.Length;

    /// <summary>One experience with its validation samples.</summary>
    /// <param name="position">Place in the stream, from 0.</param>
    public Experience this[int position] => _experiences[position];

    /// <summary>All labels, in the order they come.</summary>
    public IReadOnlyList<Label> Labels => [.. _experiences.SelectMany(experience => experience.Classes).Distinct()];

    // Validation samples stand where an experiment expects its tests; there are no others here.
    internal ExperienceStream Stream(double share)
    {
        var stream = new ExperienceStream([.. _experiences.Select(experience => Part(experience, share))], [.. _experiences.Select(Set)]);
        return _online is { } size ? stream.Online(size, _seed) : stream;
    }

    internal static EvaluationSet Set(Experience experience) => new(experience.Name, experience.Validation!, experience.TaskId);

    private Experience Split(Experience experience, double validation)
    {
        if (experience.Validation is not null) return experience;
        var (rest, aside) = StratifiedSplit.Of(experience.Train, validation, new SeededRandom(_seed, $"validation/{experience.Index}"));
        if (aside.Count == 0)
            throw new ArgumentException(
                $"validation: {validation} of the {experience.Train.Count} samples of {experience.Name} is none, expected more samples of a class");
        return new Experience(experience.Index, rest, experience.TaskId, aside, experience.Name);
    }

    private Experience Part(Experience experience, double share)
    {
        if (share == 1) return experience;
        var (_, some) = StratifiedSplit.Of(experience.Train, share, new SeededRandom(_seed, $"share/{experience.Index}"));
        return new Experience(experience.Index, some, experience.TaskId, experience.Validation, experience.Name);
    }
}
