using Engram.Data;

namespace Engram.Learning;

/// <summary>Which samples each step takes; a function of seed, experience and step alone, so that resuming needs no state.</summary>
internal sealed class BatchOrder
{
    private readonly int _count;
    private readonly LearnerOptions _options;
    private readonly int _experience;
    private int _epoch = -1;
    private int[] _order = [];

    public BatchOrder(int count, LearnerOptions options, int experience)
    {
        (_count, _options, _experience) = (count, options, experience);
        StepsPerEpoch = options.DropLast ? Math.Max(1, count / options.BatchSize) : (count + options.BatchSize - 1) / options.BatchSize;
        Steps = options.Iterations ?? (long)StepsPerEpoch * options.Epochs;
        Epochs = (int)((Steps + StepsPerEpoch - 1) / StepsPerEpoch);
    }

    public int StepsPerEpoch { get; }

    public long Steps { get; }

    public int Epochs { get; }

    public long[] Batch(long step)
    {
        var epoch = (int)(step / StepsPerEpoch);
        if (epoch != _epoch)
        {
            _order = new SeededRandom(_options.Seed, $"order/{_experience}/{epoch}").Permutation(_count);
            _epoch = epoch;
        }
        var start = (int)(step % StepsPerEpoch) * _options.BatchSize;
        var length = Math.Min(_options.BatchSize, _count - start);
        return Array.ConvertAll(_order[start..(start + length)], index => (long)index);
    }
}
