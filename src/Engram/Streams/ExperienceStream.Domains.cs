using Engram.Data;
using Engram.Evaluation;

namespace Engram.Streams;

/// <summary>Samples from one condition of the world: one site, one season, one camera.</summary>
/// <param name="Name">What to call it in reports.</param>
/// <param name="Train">Training samples.</param>
/// <param name="Test">Test samples; in the stream they bear the domain's name.</param>
public sealed record Domain(string Name, ISampleSource Train, EvaluationSet Test);

/// <content>Streams whose inputs change.</content>
public sealed partial record ExperienceStream
{
    /// <summary>One experience per domain; the classes may be the same in all.</summary>
    /// <param name="domains">The domains in order of arrival.</param>
    /// <param name="withTasks">Whether the number of the domain is told as the task, in training and at test time.</param>
    /// <exception cref="ArgumentException">No domain.</exception>
    public static ExperienceStream FromDomains(IReadOnlyList<Domain> domains, bool withTasks = false)
    {
        ArgumentNullException.ThrowIfNull(domains);
        if (domains.Count == 0) throw new ArgumentException("domains: none, expected one or more", nameof(domains));
        return new ExperienceStream(
            [.. domains.Select((domain, i) => new Experience(i, domain.Train, withTasks ? i : null, name: domain.Name))],
            [.. domains.Select((domain, i) => new EvaluationSet(domain.Name, domain.Test.Samples, withTasks ? i : null))]);
    }

    /// <summary>Any sources in order, made when they are asked for.</summary>
    /// <param name="count">How many.</param>
    /// <param name="source">Gives the samples and the task, if there is one, of each position.</param>
    /// <param name="tests">Test sets, one per experience, or none.</param>
    public static ExperienceStream FromSources(
        int count, Func<int, (ISampleSource Train, int? TaskId)> source, IReadOnlyList<EvaluationSet>? tests = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new ExperienceStream(
            new LazyList<Experience>(count, index =>
            {
                var (train, task) = source(index);
                return new Experience(index, train, task);
            }),
            tests ?? []);
    }

    /// <summary>Any sources in order.</summary>
    /// <param name="sources">The samples and the task, if there is one, of each experience.</param>
    /// <param name="tests">Test sets, one per experience, or none.</param>
    public static ExperienceStream FromSources(
        IReadOnlyList<(ISampleSource Train, int? TaskId)> sources, IReadOnlyList<EvaluationSet>? tests = null)
    {
        ArgumentNullException.ThrowIfNull(sources);
        return FromSources(sources.Count, index => sources[index], tests);
    }

    /// <summary>The same samples in every experience, their numbers in another order each time; the first keeps its order.</summary>
    /// <param name="train">Training samples.</param>
    /// <param name="test">Test samples.</param>
    /// <param name="count">How many experiences.</param>
    /// <param name="seed">Decides the orders.</param>
    /// <param name="withTasks">Whether the task is told.</param>
    public static ExperienceStream Permuted(
        ISampleSource train, EvaluationSet test, int count, long seed, bool withTasks = false)
    {
        ArgumentNullException.ThrowIfNull(test);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return FromDomains(
            [.. Enumerable.Range(0, count).Select(i => i == 0
                ? new Domain("original", train, test)
                : new Domain($"permutation {i}", Permute(train, i), test.Map(source => Permute(source, i))))],
            withTasks);

        TransformedSource Permute(ISampleSource source, int i) =>
            TransformedSource.Permuted(source, new SeededRandom(seed, $"permutation/{i}"));
    }

    /// <summary>The same images in every experience, turned by another angle each time.</summary>
    /// <param name="train">Training images.</param>
    /// <param name="test">Test images.</param>
    /// <param name="degrees">The angle of each experience, counter-clockwise.</param>
    /// <param name="withTasks">Whether the task is told.</param>
    public static ExperienceStream Rotated(
        ISampleSource train, EvaluationSet test, IReadOnlyList<double> degrees, bool withTasks = false)
    {
        ArgumentNullException.ThrowIfNull(test);
        ArgumentNullException.ThrowIfNull(degrees);
        return FromDomains(
            [.. degrees.Select(angle => new Domain(
                FormattableString.Invariant($"{angle}°"), TransformedSource.Rotated(train, angle),
                test.Map(source => TransformedSource.Rotated(source, angle))))],
            withTasks);
    }
}
