using CsCheck;
using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Memory;

public sealed class ReplayBufferTests
{
    [Fact]
    public void Every_sample_of_a_stream_is_equally_likely_to_be_kept_by_the_plain_reservoir()
    {
        const int Stream = 40, Capacity = 10, Runs = 4000;
        var kept = new int[Stream];
        for (var run = 0; run < Runs; run++)
        {
            using var scope = NewDisposeScope();
            using var buffer = new ReplayBuffer(Capacity, BalanceBy.Sample, new SeededRandom(run, "uniform"));
            for (var start = 0; start < Stream; start += 8) buffer.Offer(Part(start, 8, _ => 0), 0);
            foreach (var id in Ids(buffer)) kept[id]++;
        }
        var expected = Runs * (double)Capacity / Stream;
        // Counts per sample are binomial; dividing by 1 − p makes the sum chi-square with Stream − 1 degrees of freedom.
        var statistic = kept.Sum(count => (count - expected) * (count - expected) / expected) / (1 - ((double)Capacity / Stream));
        Assert.InRange(statistic, 16.3, 72.1); // 0.1 % and 99.9 % of chi-square with 39 degrees of freedom
    }

    [Fact]
    public void Classes_are_balanced_within_one_sample_when_enough_of_each_came_and_capacity_is_never_exceeded() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 8], Gen.Long[0, 1000]).Sample((capacity, classes, seed) =>
        {
            using var scope = NewDisposeScope();
            using var buffer = new ReplayBuffer(capacity, BalanceBy.Class, new SeededRandom(seed, "balance"));
            for (var c = 0; c < classes; c++)
                for (var chunk = 0; chunk < 4; chunk++)
                {
                    buffer.Offer(Part(chunk * 30, 30, _ => c), c);
                    if (buffer.Count > capacity) return false;
                }
            var sizes = buffer.GroupSizes.Where(size => size > 0).ToArray();
            return buffer.Count == Math.Min(capacity, 120 * classes) && (capacity < classes || sizes.Max() - sizes.Min() <= 1);
        }, iter: 60, threads: 1);

    [Fact]
    public void Class_indices_agree_with_the_rows_whatever_the_memory_is_balanced_by() =>
        Gen.Select(Gen.Int[1, 30], Gen.Enum<BalanceBy>(), Gen.Long[0, 1000]).Sample((capacity, balance, seed) =>
        {
            using var scope = NewDisposeScope();
            using var buffer = new ReplayBuffer(capacity, balance, new SeededRandom(seed, "index"));
            for (var e = 0; e < 5; e++) buffer.Offer(Part(e * 20, 20, id => (id * 7) % (e + 1)), e);
            var targets = State(buffer).Tensors["targets"].data<long>().ToArray();
            return Enumerable.Range(0, 5).All(c =>
                buffer.SlotsOfClass(c).Order().SequenceEqual(
                    Enumerable.Range(0, targets.Length).Where(slot => targets[slot] == c).Select(slot => (long)slot)));
        }, iter: 60, threads: 1);

    [Fact]
    public void A_balanced_draw_gives_equal_shares_without_repeats()
    {
        using var scope = NewDisposeScope();
        using var buffer = new ReplayBuffer(100, BalanceBy.Sample, new SeededRandom(1, "draw"));
        buffer.Offer(Part(0, 100, id => id < 90 ? 0 : id < 97 ? 1 : 2), 0);

        var slots = buffer.Draw(20, BalanceBy.Class);

        Assert.Equal(20, slots.Distinct().Count());
        Assert.Equal([10, 7, 3], Enumerable.Range(0, 3).Select(c => slots.Intersect(buffer.SlotsOfClass(c)).Count()));
        Assert.Equal(100, buffer.Draw(1000).Distinct().Count());
    }

    [Theory]
    [InlineData(BalanceBy.Sample)]
    [InlineData(BalanceBy.Class)]
    [InlineData(BalanceBy.Experience)]
    public void Saving_loading_and_going_on_equals_not_stopping_bit_for_bit(BalanceBy balance)
    {
        using var scope = NewDisposeScope();
        using var buffer = new ReplayBuffer(23, balance, new SeededRandom(3, "save"));
        for (var e = 0; e < 4; e++) buffer.Offer(Part(e * 30, 30, id => id % (e + 2)), e, Extras(30, e + 2));
        using var copy = new ReplayBuffer(23, balance, new SeededRandom(99, "other"));
        copy.Load(State(buffer));

        foreach (var one in new[] { buffer, copy })
            for (var e = 4; e < 8; e++) one.Offer(Part(e * 30, 30, id => id % (e + 2)), e, Extras(30, e + 2));

        Assert.Equal(buffer.Draw(9, BalanceBy.Class), copy.Draw(9, BalanceBy.Class));
        Assert.Equal(buffer.Bytes, copy.Bytes);
        var (left, right) = (State(buffer), State(copy));
        Assert.Equal(left.Values.ToJsonString(), right.Values.ToJsonString());
        Assert.Equal(left.Tensors.Keys.Order(), right.Tensors.Keys.Order());
        foreach (var name in left.Tensors.Keys)
            Assert.Equal(left.Tensors[name].contiguous().bytes.ToArray(), right.Tensors[name].contiguous().bytes.ToArray());
    }

    [Fact]
    public void Extra_columns_follow_their_samples_and_are_padded_as_they_widen()
    {
        using var scope = NewDisposeScope();
        using var buffer = new ReplayBuffer(50, BalanceBy.Sample, new SeededRandom(3, "extra"));
        buffer.Offer(Part(0, 10, _ => 0), 0, Extras(10, 2));
        buffer.Offer(Part(10, 10, _ => 0), 0, Extras(10, 4));

        var rows = buffer.ReadExtra("logits", [3, 13]).data<float>().ToArray();

        Assert.Equal([3, 3, float.NaN, float.NaN, 3, 3, 3, 3], rows);
    }

    [Fact]
    public void A_thousand_MNIST_exemplars_take_less_than_a_megabyte_and_a_great_capacity_is_not_taken_at_once()
    {
        using var scope = NewDisposeScope();
        using var buffer = new ReplayBuffer(1000, BalanceBy.Class, new SeededRandom(0, "bytes"));
        using var great = new ReplayBuffer(1_000_000, BalanceBy.Class, new SeededRandom(0, "bytes"));
        foreach (var chunk in Enumerable.Range(0, 6000).Select(i => (long)i).Chunk(1000))
        {
            var batch = TestData.Mnist.Train.Gather(chunk);
            var part = new BatchPart { Raw = batch.Inputs, Inputs = batch.Inputs, Targets = batch.Targets };
            buffer.Offer(part, 0);
            if (great.Count == 0) great.Offer(part, 0);
        }
        Assert.Equal(1000, buffer.Count);
        Assert.Equal(1000 * (784 + 8), buffer.Bytes);
        Assert.True(great.Bytes < 1_000_000);
    }

    private static BatchPart Part(int first, int count, Func<int, int> classOf)
    {
        var ids = Enumerable.Range(first, count).ToArray();
        var raw = tensor(Array.ConvertAll(ids, id => (byte)id)).view(count, 1);
        return new BatchPart { Raw = raw, Inputs = raw, Targets = tensor(Array.ConvertAll(ids, id => (long)classOf(id))) };
    }

    private static Dictionary<string, Tensor> Extras(int count, int width) =>
        new() { ["logits"] = arange(count, ScalarType.Float32).unsqueeze(1).expand(count, width).contiguous() };

    private static byte[] Ids(ReplayBuffer buffer) => State(buffer).Tensors["raw"].contiguous().data<byte>().ToArray();

    private static MechanismState State(ReplayBuffer buffer)
    {
        var state = new MechanismState();
        buffer.Save(state);
        return state;
    }
}
