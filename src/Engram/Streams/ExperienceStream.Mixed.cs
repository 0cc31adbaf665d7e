using Engram.Data;
using Engram.Evaluation;

namespace Engram.Streams;

/// <content>Streams without sharp boundaries: blurry ones, and classes that come back.</content>
public sealed partial record ExperienceStream
{
    /// <summary>
    /// Class-incremental with blurry boundaries: a share of each class's samples comes in the other experiences, evenly.
    /// Bang et al. 2021, "Rainbow Memory" (Blurry-M: M % of the samples are of classes of other tasks); with
    /// <paramref name="disjoint"/> also Koh et al. 2022, "i-Blurry" (N % of the classes do not leak).
    /// </summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="groups">The major classes of each experience; two groups or more.</param>
    /// <param name="blur">M: the share of each class that leaks, 0 to 1.</param>
    /// <param name="seed">Decides which samples and classes.</param>
    /// <param name="disjoint">N: the share of classes that do not leak, 0 to 1.</param>
    /// <exception cref="ArgumentException">A share out of range, one group only, or groups as class-incremental streams refuse.</exception>
    public static ExperienceStream Blurry(
        ISampleSource train, EvaluationSet test, IReadOnlyList<IReadOnlyList<Label>> groups, double blur, long seed,
        double disjoint = 0)
    {
        var sharp = ClassIncremental(train, test, groups);
        if (blur is not (>= 0 and <= 1)) throw new ArgumentException($"blur: {blur}, expected 0 to 1", nameof(blur));
        if (disjoint is not (>= 0 and <= 1))
            throw new ArgumentException($"disjoint: {disjoint}, expected 0 to 1", nameof(disjoint));
        if (groups.Count < 2) throw new ArgumentException("groups: 1, expected 2 or more to leak between", nameof(groups));
        var random = new SeededRandom(seed, "blurry");
        var indices = groups.Select(_ => new List<int>()).ToArray();
        var members = StratifiedSplit.ByClass(train);
        Label[] labels = [.. groups.SelectMany(group => group)];
        random.Shuffle<Label>(labels);
        var sharpClasses = (int)Math.Round(labels.Length * disjoint);
        for (var place = 0; place < labels.Length; place++)
        {
            var home = Enumerable.Range(0, groups.Count).First(g => groups[g].Contains(labels[place]));
            var samples = members[train.Labels.ToList().IndexOf(labels[place])];
            random.Shuffle<int>(samples);
            var leaking = place < sharpClasses ? 0 : (int)Math.Round(samples.Length * blur);
            var turn = random.Next(groups.Count - 1);
            for (var i = 0; i < samples.Length; i++)
                // 1 to groups − 1 places after home, in turn: never home itself.
                indices[i < leaking ? (home + 1 + ((turn + i) % (groups.Count - 1))) % groups.Count : home].Add(samples[i]);
        }
        foreach (var list in indices) list.Sort();
        if (indices.Select((list, g) => (list, g)).FirstOrDefault(p => p.list.Count == 0) is { list: not null } empty)
            throw new ArgumentException($"blur: {blur} leaves experience {empty.g} empty, expected less", nameof(blur));
        return sharp with
        {
            Experiences = [.. indices.Select((list, g) =>
                new Experience(g, new SubsetSource(train, [.. list]), name: sharp.Experiences[g].Name))],
        };
    }

    /// <summary>
    /// Classes come back: every experience has the same number of classes, every class occurs equally often, and its
    /// samples are shared out over its occurrences, so that none comes twice. The slot-based generator of Hemati et al.
    /// 2023, "Class-Incremental Learning with Repetition", section 3.1.
    /// </summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="count">N: how many experiences.</param>
    /// <param name="classes">K: classes in each.</param>
    /// <param name="seed">Decides which classes and samples.</param>
    /// <remarks>Test set i holds the classes of experience i. Where N·K is no multiple of the number of classes, some occur once more.</remarks>
    /// <exception cref="ArgumentException">Too many classes, or too few places for every class to occur.</exception>
    public static ExperienceStream WithRepetition(
        ISampleSource train, EvaluationSet test, int count, int classes, long seed)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        var known = train.Labels.Count;
        if (classes < 1 || classes > known)
            throw new ArgumentException($"classes: {classes}, expected 1 to {known}", nameof(classes));
        if ((long)count * classes < known)
            throw new ArgumentException(
                $"count: {count} experiences of {classes} classes, expected room for {known} classes", nameof(count));
        var random = new SeededRandom(seed, "repetition");
        var present = Slots(known, count, classes, random);
        var members = StratifiedSplit.ByClass(train);
        var indices = present.Select(_ => new List<int>()).ToArray();
        for (var c = 0; c < known; c++)
        {
            random.Shuffle<int>(members[c]);
            int[] at = [.. Enumerable.Range(0, count).Where(e => present[e].Contains(c))];
            if (members[c].Length < at.Length)
                throw new ArgumentException(
                    $"count: class {train.Labels[c]} occurs {at.Length} times, expected at most its {members[c].Length} samples",
                    nameof(count));
            for (var i = 0; i < members[c].Length; i++) indices[at[i % at.Length]].Add(members[c][i]);
        }
        Label[] LabelsOf(int e) => [.. present[e].Order().Select(c => train.Labels[c])];
        return new ExperienceStream(
            [.. indices.Select((list, e) => new Experience(e, new SubsetSource(train, [.. list.Order()]), name: NameOf(LabelsOf(e))))],
            [.. indices.Select((_, e) => new EvaluationSet(NameOf(LabelsOf(e)), SubsetSource.WithLabels(test.Samples, LabelsOf(e))))]);
    }

    /// <summary>All experiences as one, measured by all test sets: what an upper bound learns from.</summary>
    /// <remarks>
    /// Where tasks are told, every sample goes on telling its own (<see cref="TaskSource"/>). Validation samples are joined likewise.
    /// </remarks>
    public ExperienceStream AtOnce()
    {
        var train = new ConcatSource([.. Experiences.Select(experience => TaskSource.Of(experience.Train, experience.TaskId))]);
        ISampleSource[] aside = [.. Experiences.Where(experience => experience.Validation is not null)
            .Select(experience => TaskSource.Of(experience.Validation!, experience.TaskId))];
        var validation = aside.Length == 0 ? null : new ConcatSource(aside);
        return new ExperienceStream([new Experience(0, train, validation: validation, name: "all")], Tests)
        {
            MeasuredAfter = [.. Tests.Select(_ => 0)],
        };
    }

    // Which classes each experience has: classes with more places left are drawn more often, those that would not fit
    // otherwise are always taken.
    private static HashSet<int>[] Slots(int known, int count, int classes, SeededRandom random)
    {
        var left = new int[known];
        var extra = random.Permutation(known);
        for (var slot = 0; slot < count * classes; slot++) left[extra[slot % known]]++;
        var present = new HashSet<int>[count];
        for (var e = 0; e < count; e++)
        {
            present[e] = [.. Enumerable.Range(0, known).Where(c => left[c] == count - e)];
            while (present[e].Count < classes)
            {
                var free = Enumerable.Range(0, known).Where(c => !present[e].Contains(c)).ToArray();
                var pick = random.Next(free.Sum(c => left[c]));
                present[e].Add(free.First(c => (pick -= left[c]) < 0));
            }
            foreach (var c in present[e]) left[c]--;
        }
        return present;
    }
}
