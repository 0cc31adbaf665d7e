using static Engram.HeldScalar;
using static TorchSharp.torch;

namespace Engram.Tests;

public class HeldScalarTests
{
    [Fact]
    public void Numbers_stay_right_while_another_thread_collects_garbage()
    {
        const int Count = 200_000;
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();

        using var sum = zeros(1, ScalarType.Float64);
        for (var i = 0; i < Count; i++) sum.add_(Held(0.5), alpha: Held(1));

        stop.Cancel();
        collector.Join();
        Assert.Equal(Count * 0.5, sum.item<double>());
    }

    [Fact]
    public void More_numbers_than_the_ring_holds_are_given_one_after_another()
    {
        using var sum = zeros(1, ScalarType.Int64);
        for (var i = 1; i <= 1000; i++) sum.add_(Held((long)i), alpha: Held(1));

        Assert.Equal(500_500, sum.item<long>());
    }
}
