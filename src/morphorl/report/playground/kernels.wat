;; What training in the page spends its time on, four numbers of single precision at a time. Matrices lie row by row in
;; the memory that the page gives; addresses and strides are in bytes. kernels.wasm is this text, assembled:
;;     python -m morphorl.report.playground.assemble
;; Rows come in fours and columns in eights, so that no loop has a remainder; fast_learner.js pads with zeros.
(module
  (import "page" "memory" (memory 1))

  ;; out[r][c] = start[c] + sum over k of a[r][k] b[k][c]. Entry (r, k) of a is at a + r a_row + k a_step, so that a may be
  ;; read as its transpose. Four rows and eight columns at a time: eight sums that do not wait for each other.
  (func (export "product")
    (param $a i32) (param $a_row i32) (param $a_step i32) (param $rows i32)
    (param $b i32) (param $columns i32) (param $shared i32) (param $start i32) (param $out i32)
    (local $b_row i32) (local $row i32) (local $column i32) (local $k i32) (local $from i32) (local $to i32)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $q i32)
    (local $x v128) (local $left v128) (local $right v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    (local.set $b_row (i32.shl (local.get $columns) (i32.const 2)))
    (local.set $from (local.get $a))
    (loop $four_rows
      (local.set $column (i32.const 0))
      (loop $eight_columns
        (local.set $p0 (local.get $from))
        (local.set $p1 (i32.add (local.get $p0) (local.get $a_row)))
        (local.set $p2 (i32.add (local.get $p1) (local.get $a_row)))
        (local.set $p3 (i32.add (local.get $p2) (local.get $a_row)))
        (local.set $q (i32.add (local.get $b) (local.get $column)))
        (local.set $to (i32.add (local.get $start) (local.get $column)))
        (local.set $s0 (v128.load (local.get $to)))
        (local.set $t0 (v128.load offset=16 (local.get $to)))
        (local.set $s1 (local.get $s0))
        (local.set $s2 (local.get $s0))
        (local.set $s3 (local.get $s0))
        (local.set $t1 (local.get $t0))
        (local.set $t2 (local.get $t0))
        (local.set $t3 (local.get $t0))
        (local.set $k (local.get $shared))
        (loop $sum
          (local.set $left (v128.load (local.get $q)))
          (local.set $right (v128.load offset=16 (local.get $q)))
          (local.set $x (v128.load32_splat (local.get $p0)))
          (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t0 (f32x4.add (local.get $t0) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $p1)))
          (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t1 (f32x4.add (local.get $t1) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $p2)))
          (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t2 (f32x4.add (local.get $t2) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $x (v128.load32_splat (local.get $p3)))
          (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $x) (local.get $left))))
          (local.set $t3 (f32x4.add (local.get $t3) (f32x4.mul (local.get $x) (local.get $right))))
          (local.set $p0 (i32.add (local.get $p0) (local.get $a_step)))
          (local.set $p1 (i32.add (local.get $p1) (local.get $a_step)))
          (local.set $p2 (i32.add (local.get $p2) (local.get $a_step)))
          (local.set $p3 (i32.add (local.get $p3) (local.get $a_step)))
          (local.set $q (i32.add (local.get $q) (local.get $b_row)))
          (br_if $sum (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (local.set $to (i32.add (local.get $out) (local.get $column)))
        (v128.store (local.get $to) (local.get $s0))
        (v128.store offset=16 (local.get $to) (local.get $t0))
        (local.set $to (i32.add (local.get $to) (local.get $b_row)))
        (v128.store (local.get $to) (local.get $s1))
        (v128.store offset=16 (local.get $to) (local.get $t1))
        (local.set $to (i32.add (local.get $to) (local.get $b_row)))
        (v128.store (local.get $to) (local.get $s2))
        (v128.store offset=16 (local.get $to) (local.get $t2))
        (local.set $to (i32.add (local.get $to) (local.get $b_row)))
        (v128.store (local.get $to) (local.get $s3))
        (v128.store offset=16 (local.get $to) (local.get $t3))
        (local.set $column (i32.add (local.get $column) (i32.const 32)))
        (br_if $eight_columns (i32.lt_u (local.get $column) (local.get $b_row))))
      (local.set $from (i32.add (local.get $from) (i32.shl (local.get $a_row) (i32.const 2))))
      (local.set $out (i32.add (local.get $out) (i32.shl (local.get $b_row) (i32.const 2))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $four_rows (i32.lt_u (local.get $row) (local.get $rows)))))

  ;; u = tanh u, so many numbers in place, by the rational function that Eigen and XLA use: odd of degree 13 over even of
  ;; degree 6, within ±7.9053; 2e-7 off at most.
  (func (export "tanh") (param $u i32) (param $count i32)
    (local $end i32) (local $x v128) (local $y v128) (local $p v128) (local $q v128)
    (local.set $end (i32.add (local.get $u) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      (local.set $x (f32x4.max (v128.const f32x4 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805)
        (f32x4.min (v128.const f32x4 7.90531110763549805 7.90531110763549805 7.90531110763549805 7.90531110763549805) (v128.load (local.get $u)))))
      (local.set $y (f32x4.mul (local.get $x) (local.get $x)))
      (local.set $p (f32x4.add (f32x4.splat (f32.const 2.00018790482477e-13)) (f32x4.mul (local.get $y) (f32x4.splat (f32.const -2.76076847742355e-16)))))
      (local.set $p (f32x4.add (f32x4.splat (f32.const -8.60467152213735e-11)) (f32x4.mul (local.get $y) (local.get $p))))
      (local.set $p (f32x4.add (f32x4.splat (f32.const 5.12229709037114e-8)) (f32x4.mul (local.get $y) (local.get $p))))
      (local.set $p (f32x4.add (f32x4.splat (f32.const 1.48572235717979e-5)) (f32x4.mul (local.get $y) (local.get $p))))
      (local.set $p (f32x4.add (f32x4.splat (f32.const 6.37261928875436e-4)) (f32x4.mul (local.get $y) (local.get $p))))
      (local.set $p (f32x4.add (f32x4.splat (f32.const 4.89352455891786e-3)) (f32x4.mul (local.get $y) (local.get $p))))
      (local.set $q (f32x4.add (f32x4.splat (f32.const 1.18534705686654e-4)) (f32x4.mul (local.get $y) (f32x4.splat (f32.const 1.19825839466702e-6)))))
      (local.set $q (f32x4.add (f32x4.splat (f32.const 2.26843463243900e-3)) (f32x4.mul (local.get $y) (local.get $q))))
      (local.set $q (f32x4.add (f32x4.splat (f32.const 4.89352518554385e-3)) (f32x4.mul (local.get $y) (local.get $q))))
      (v128.store (local.get $u) (f32x4.div (f32x4.mul (local.get $x) (local.get $p)) (local.get $q)))
      (local.set $u (i32.add (local.get $u) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $u) (local.get $end)))))

  ;; d = d (1 - y y): the slopes before tanh, from those after it and its values y.
  (func (export "through_tanh") (param $d i32) (param $y i32) (param $count i32)
    (local $end i32) (local $v v128)
    (local.set $end (i32.add (local.get $d) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      (local.set $v (v128.load (local.get $y)))
      (v128.store (local.get $d) (f32x4.mul (v128.load (local.get $d))
        (f32x4.sub (f32x4.splat (f32.const 1)) (f32x4.mul (local.get $v) (local.get $v)))))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $d) (local.get $end)))))

  ;; out[c] = sum over r of d[r][c].
  (func (export "sum_of_rows") (param $d i32) (param $rows i32) (param $columns i32) (param $out i32)
    (local $row i32) (local $column i32) (local $from i32) (local $r i32) (local $sum v128)
    (local.set $row (i32.shl (local.get $columns) (i32.const 2)))
    (loop $four
      (local.set $from (i32.add (local.get $d) (local.get $column)))
      (local.set $sum (f32x4.splat (f32.const 0)))
      (local.set $r (local.get $rows))
      (loop $down
        (local.set $sum (f32x4.add (local.get $sum) (v128.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (local.get $row)))
        (br_if $down (local.tee $r (i32.sub (local.get $r) (i32.const 1)))))
      (v128.store (i32.add (local.get $out) (local.get $column)) (local.get $sum))
      (local.set $column (i32.add (local.get $column) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $column) (local.get $row)))))

  ;; out[c][r] = u[r][c].
  (func (export "transpose") (param $u i32) (param $rows i32) (param $columns i32) (param $out i32)
    (local $r i32) (local $c i32) (local $to i32)
    (loop $row
      (local.set $to (i32.add (local.get $out) (i32.shl (local.get $r) (i32.const 2))))
      (local.set $c (local.get $columns))
      (loop $column
        (f32.store (local.get $to) (f32.load (local.get $u)))
        (local.set $u (i32.add (local.get $u) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $rows) (i32.const 2))))
        (br_if $column (local.tee $c (i32.sub (local.get $c) (i32.const 1)))))
      (local.set $r (i32.add (local.get $r) (i32.const 1)))
      (br_if $row (i32.lt_u (local.get $r) (local.get $rows)))))

  ;; The sum of the squares of so many numbers.
  (func (export "squares") (param $u i32) (param $count i32) (result f32)
    (local $end i32) (local $x v128) (local $sum v128)
    (local.set $end (i32.add (local.get $u) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      (local.set $x (v128.load (local.get $u)))
      (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul (local.get $x) (local.get $x))))
      (local.set $u (i32.add (local.get $u) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $u) (local.get $end))))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
      (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum)))))

  ;; Adam's step on parameters u with gradient factor g: m = 0.9 m + 0.1 factor g, v = 0.999 v + 0.001 (factor g)^2 and
  ;; u = u - rate m / (sqrt(v / second) + 1e-5); rate is divided by the first moment's correction already.
  (func (export "adam")
    (param $u i32) (param $g i32) (param $m i32) (param $v i32) (param $count i32)
    (param $factor f32) (param $rate f32) (param $second f32)
    (local $end i32) (local $slope v128) (local $mean v128) (local $square v128)
    (local.set $end (i32.add (local.get $u) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      (local.set $slope (f32x4.mul (f32x4.splat (local.get $factor)) (v128.load (local.get $g))))
      (local.set $mean (f32x4.add
        (f32x4.mul (f32x4.splat (f32.const 0.9)) (v128.load (local.get $m)))
        (f32x4.mul (f32x4.splat (f32.const 0.1)) (local.get $slope))))
      (local.set $square (f32x4.add
        (f32x4.mul (f32x4.splat (f32.const 0.999)) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.splat (f32.const 0.001)) (f32x4.mul (local.get $slope) (local.get $slope)))))
      (v128.store (local.get $m) (local.get $mean))
      (v128.store (local.get $v) (local.get $square))
      (v128.store (local.get $u) (f32x4.sub (v128.load (local.get $u)) (f32x4.div
        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $mean))
        (f32x4.add (f32x4.splat (f32.const 1e-5))
          (f32x4.sqrt (f32x4.div (local.get $square) (f32x4.splat (local.get $second))))))))
      (local.set $u (i32.add (local.get $u) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $u) (local.get $end))))))
