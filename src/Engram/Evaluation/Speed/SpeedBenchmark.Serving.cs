using System.Diagnostics;
using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Speed;

/// <content>Streams, memories, predictions and allocations.</content>
public sealed partial class SpeedBenchmark
{
    // A stream of experiences of ten samples with class-balanced replay: speed, and whether it keeps it.
    private IEnumerable<SpeedRow> Streaming()
    {
        var count = isFull ? 10_000 : 1_000;
        using var learner = TimedLearner.Create(
            new Mlp(784, 400, 400), 10, Precision.Float32,
            [new Replay(new ReplayOptions { Online = true, Balance = BalanceBy.Class, Retrieval = Retrieval.Balanced })]);
        var order = new SeededRandom(0, "speed/stream").Permutation(train.Count);
        var seconds = new double[count];
        for (var e = 0; e < count; e++)
        {
            int[] rows = [.. Enumerable.Range(10 * e, 10).Select(i => order[i % order.Length])];
            var experience = new Experience(e, new SubsetSource(train, rows));
            seconds[e] = PairedRuns.Seconds(() => learner.Learn(experience));
        }
        var (early, late) = (PairedRuns.Median(seconds[(count / 10)..(count / 5)]), PairedRuns.Median(seconds[(count * 9 / 10)..]));
        yield return new SpeedRow("online stream, batch 10, class-balanced replay", 10 / late, "samples/s", 6_000, true);
        yield return new SpeedRow($"the same, last tenth of {count:n0} experiences", late / early, "× the second tenth", 1.1, false);
    }

    // A large memory: offering one by one in batches, drawing and reading balanced batches.
    private IEnumerable<SpeedRow> Memory()
    {
        var capacity = isFull ? 1_000_000 : 100_000;
        using var learner = new TimedLearner(train, BatchSize);
        learner.Seconds(20); // there are samples to fetch now
        using var buffer = new ReplayBuffer(capacity, BalanceBy.Class, new SeededRandom(0, "speed/buffer"));
        using var scope = NewDisposeScope();
        BatchPart[] parts = [.. Enumerable.Range(0, 20).Select(part =>
            learner.Context.Fetch([.. Enumerable.Range(part * 1000, 1000).Select(i => (long)(i % learner.Context.Source.Count))]))];
        void Offer(int samples)
        {
            for (var i = 0; i < samples / 1000; i++) buffer.Offer(parts[i % parts.Length], 0);
        }
        Offer(capacity);
        var offered = isFull ? 200_000 : 50_000;
        var insert = PairedRuns.Median(Enumerable.Range(0, _rounds).Select(_ => PairedRuns.Seconds(() => Offer(offered))));
        yield return new SpeedRow($"memory of {capacity:n0} samples, offering one", insert / offered * 1e6, "µs", 2, false);
        void Sample()
        {
            using var inner = NewDisposeScope();
            buffer.Read(learner.Context, buffer.Draw(BatchSize, BalanceBy.Class));
        }
        for (var i = 0; i < 20; i++) Sample();
        var draw = PairedRuns.Median(Enumerable.Range(0, 200).Select(_ => PairedRuns.Seconds(Sample)));
        yield return new SpeedRow($"memory of {capacity:n0} samples, a balanced batch of 128", draw * 1e6, "µs", 150, false);
    }

    // Predictions of the MLP, one at a time and in batches.
    private IEnumerable<SpeedRow> Predictions()
    {
        using var learner = new TimedLearner(train, BatchSize);
        using var mixed = new TimedLearner(train, BatchSize, precision: Precision.MixedBFloat16);
        learner.Learn(1);
        mixed.Learn(1);
        using var one = train.Gather([0]).Inputs;
        using var many = train.Gather([.. Enumerable.Range(0, 256).Select(i => (long)i)]).Inputs;
        double Seconds(TimedLearner who, Tensor inputs)
        {
            void Predict()
            {
                using var prediction = who.Learner.Predict(inputs);
                _ = prediction.ClassIds;
            }
            for (var i = 0; i < 100; i++) Predict();
            return PairedRuns.Median(Enumerable.Range(0, 500).Select(_ => PairedRuns.Seconds(Predict)));
        }
        yield return new SpeedRow("prediction of one sample, MLP", Seconds(learner, one) * 1e6, "µs, median", 150, false);
        yield return new SpeedRow("prediction in batches of 256, float32", 256 / Seconds(learner, many), "samples/s", 100_000, true);
        yield return new SpeedRow("prediction in batches of 256, bfloat16", 256 / Seconds(mixed, many), "samples/s", 180_000, true);
    }

    // Managed bytes per step, and growth of the process over many.
    private IEnumerable<SpeedRow> Allocations()
    {
        var (size, steps) = isFull ? (4, 100_000) : (4, 10_000);
        using var naive = new TimedLearner(train, BatchSize);
        naive.Seconds(_steps);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        naive.Seconds(_steps);
        var perStep = (GC.GetTotalAllocatedBytes(precise: true) - before) / 1024.0 / _steps;
        yield return new SpeedRow("managed memory taken by a step", perStep, "KB", 20, false, "order of the samples included");
        using var small = TimedLearner.Create(new Mlp(784, 16), size, Precision.Float32, [new Replay()]);
        var source = SubsetSource.Balanced(train, 400);
        void Learn(int experience, int count)
        {
            for (var done = 0; done < count; done += source.Count / size)
                small.Learn(new Experience(experience + (done * size / source.Count), source));
        }
        Learn(0, 2_000);
        var start = Resident();
        Learn(1_000, steps);
        yield return new SpeedRow($"growth of the process over {steps:n0} steps", (Resident() - start) / 1048576.0, "MB", isFull ? 20 : 10, false);
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var own = Process.GetCurrentProcess();
        return own.WorkingSet64;
    }
}
