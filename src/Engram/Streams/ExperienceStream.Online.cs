using Engram.Data;

namespace Engram.Streams;

/// <content>Online streams and validation samples, made from other streams.</content>
public sealed partial record ExperienceStream
{
    /// <summary>
    /// Cuts every experience into tiny ones that pass once, in random order within it. Tests are due where one of the
    /// present experiences ends. Each tiny experience is made when it is asked for.
    /// </summary>
    /// <param name="batchSize">Samples in each tiny experience, for example 1 to 10; the last of a group may be smaller.</param>
    /// <param name="seed">Decides the order.</param>
    /// <remarks>
    /// Train it with one epoch and a <c>BatchSize</c> of at least <paramref name="batchSize"/>: one step each. Validation samples of a
    /// present experience come with the last of its tiny ones, when all of its classes have come; the others have none.
    /// </remarks>
    public ExperienceStream Online(int batchSize, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        Experience[] wholes = [.. Experiences];
        var starts = new int[wholes.Length + 1];
        for (var w = 0; w < wholes.Length; w++)
            starts[w + 1] = starts[w] + ((wholes[w].Train.Count + batchSize - 1) / batchSize);
        var orders = wholes.Select(whole => new Lazy<int[]>(
            () => new SeededRandom(seed, $"online/{whole.Index}").Permutation(whole.Train.Count))).ToArray();

        return new ExperienceStream(new LazyList<Experience>(starts[^1], Piece), Tests)
        {
            MeasuredAfter = [.. MeasuredAfter.Select(position => starts[position + 1] - 1)],
        };

        Experience Piece(int index)
        {
            var found = Array.BinarySearch(starts, index);
            var w = found >= 0 ? found : ~found - 1;
            var begin = (index - starts[w]) * batchSize;
            var end = Math.Min(begin + batchSize, wholes[w].Train.Count);
            return new Experience(
                index, new SubsetSource(wholes[w].Train, orders[w].Value[begin..end]), wholes[w].TaskId,
                end == wholes[w].Train.Count ? wholes[w].Validation : null, $"{wholes[w].Name}, {begin}-{end - 1}");
        }
    }

    /// <summary>Sets a share of the training samples of every experience aside for validation, class by class.</summary>
    /// <param name="fraction">The share, above 0 and below 1; see <see cref="StratifiedSplit"/>.</param>
    /// <param name="seed">Decides which samples.</param>
    public ExperienceStream WithValidation(double fraction, long seed) => this with
    {
        Experiences = new LazyList<Experience>(Experiences.Count, position =>
        {
            var whole = Experiences[position];
            var (rest, aside) = StratifiedSplit.Of(
                whole.Train, fraction, new SeededRandom(seed, $"validation/{whole.Index}"));
            return new Experience(
                whole.Index, rest, whole.TaskId, aside.Count == 0 ? null : aside, whole.Name);
        }),
    };
}
